#!/bin/bash
set -eu
if [ "$(id -u)" = 0 ]; then
  chown 100:1000 /consul/data
  exec setpriv --reuid=100 --regid=1000 --clear-groups -- "$0" "$@"
fi
if [ "$1" = agent ]; then set -- consul "$@"; fi
exec "$@"
