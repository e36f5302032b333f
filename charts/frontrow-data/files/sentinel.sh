# A Sentinel begins with this and then keeps in the file what it has learnt. Its id is in there too: a Sentinel that came back
# with another would be counted twice. How it listens and its passwords are written anew at each start.
set -eu
{
  cat /etc/frontrow/sentinel.conf
  # Theirs too: a Sentinel shows it to the others.
  echo "requirepass $REDIS_PASSWORD"
  if [ -s /data/sentinel.conf ]; then
    grep -vE '^(port|tls-|requirepass|user default|dir|protected-mode)' /data/sentinel.conf |
      grep -vE '^sentinel (resolve-hostnames|announce-hostnames|auth-pass)'
  else
    cat <<CONF
sentinel monitor frontrow $FIRST 6379 2
# Locks that are lost cost speed, a Redis that is away costs more: go over to the replica soon.
sentinel down-after-milliseconds frontrow 2000
sentinel failover-timeout frontrow 6000
sentinel parallel-syncs frontrow 1
CONF
  fi
  echo "sentinel auth-pass frontrow $REDIS_PASSWORD"
} > /data/sentinel.conf.new
mv /data/sentinel.conf.new /data/sentinel.conf
exec redis-server /data/sentinel.conf --sentinel
