#!/bin/bash
# As root it takes the volume over, and goes on as cassandra.
set -eu
if [ "$(id -u)" = 0 ]; then
  chown 999:999 /var/lib/cassandra
  exec setpriv --reuid=999 --regid=999 --clear-groups -- "$0" "$@"
fi
export CASSANDRA_ADDRESS="${CASSANDRA_ADDRESS:-$(hostname -i | cut -d' ' -f1)}"
sed -i "s/^listen_address:.*/listen_address: $CASSANDRA_ADDRESS/; s/^rpc_address:.*/rpc_address: 0.0.0.0/; s/^broadcast_rpc_address:.*/broadcast_rpc_address: $CASSANDRA_ADDRESS/; s/- seeds:.*/- seeds: $CASSANDRA_ADDRESS/; s/^cluster_name:.*/cluster_name: ${CASSANDRA_CLUSTER_NAME:-Test Cluster}/" /etc/cassandra/cassandra.yaml
exec "$@"
