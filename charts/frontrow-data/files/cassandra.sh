# Starts a node. The last one also makes the roles, at every start: a quorum of nodes is there then, and a changed password of
# the services' role takes effect. /tmp/roles says that they are made.
set -eu
if [ -d /etc/tls ]; then
  (umask 077 && cat /etc/tls/tls.key /etc/tls/tls.crt > /tmp/keystore.pem)
  export SSL_CERTFILE=/etc/tls/ca.crt
fi

REPLICATION="{'class': 'NetworkTopologyStrategy', 'replication_factor': $NODES}"

cql() { # ROLE PASSWORD STATEMENTS
  cqlsh ${SSL_CERTFILE:+--ssl} -u "$1" -p "$2" -e "$3" 127.0.0.1 9042
}

# Nobody can log in before Cassandra has made its first role, cassandra with the password cassandra; this takes its place.
replace_first_role() {
  cql cassandra cassandra "
    ALTER KEYSPACE system_auth WITH replication = $REPLICATION;
    CREATE ROLE IF NOT EXISTS admin WITH SUPERUSER = true AND LOGIN = true AND PASSWORD = '$ADMIN_PASSWORD'" > /dev/null 2>&1
}

make_roles() {
  until cql admin "$ADMIN_PASSWORD" "
    ALTER ROLE cassandra WITH SUPERUSER = false AND LOGIN = false;
    CREATE KEYSPACE IF NOT EXISTS $KEYSPACE WITH replication = $REPLICATION;
    CREATE ROLE IF NOT EXISTS booking;
    ALTER ROLE booking WITH LOGIN = true AND PASSWORD = '$BOOKING_PASSWORD';
    GRANT ALL PERMISSIONS ON KEYSPACE $KEYSPACE TO booking;
    GRANT SELECT ON system_views.settings TO booking"; do
    replace_first_role || sleep 1
  done
  touch /tmp/roles
}

rm -f /tmp/roles
if [ "${POD_NAME##*-}" = $((NODES - 1)) ]; then make_roles & else touch /tmp/roles; fi
exec cassandra -f
