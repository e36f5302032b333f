#!/bin/bash
# --bootstrap-server HOST:PORT: only whether somebody listens.
exec timeout 5 bash -c "</dev/tcp/${2%:*}/${2#*:}"
