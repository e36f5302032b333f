# Writes this node's configuration anew and starts it. Who is the primary the Sentinels know; while none of them answers, the
# last configuration does (Redis rewrites it at a failover); at the very first start it is FIRST.
set -eu
primary=""
if [ -n "$SENTINELS" ]; then
  primary=$(timeout 3 redis-cli ${TLS:-} -h "$SENTINELS" -p 26379 --raw \
    sentinel get-master-addr-by-name frontrow 2>/dev/null | head -n 1) || true
  if [ -z "$primary" ] && [ -s /data/redis.conf ]; then
    primary=$(sed -n 's/^replicaof "\{0,1\}\([^" ]*\).*/\1/p' /data/redis.conf)
    primary=${primary:-$POD_NAME}
  fi
fi
primary=${primary:-$FIRST}
{
  cat /etc/frontrow/redis.conf
  echo "requirepass $REDIS_PASSWORD"
  echo "masterauth $REDIS_PASSWORD"
  # A Service of this pod's own: an address that stays.
  echo "replica-announce-ip $POD_NAME"
  if [ "$primary" != "$POD_NAME" ]; then echo "replicaof $primary 6379"; fi
} > /data/redis.conf.new
mv /data/redis.conf.new /data/redis.conf
exec redis-server /data/redis.conf
