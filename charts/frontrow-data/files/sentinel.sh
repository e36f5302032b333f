# A Sentinel begins with this and then keeps in the file what it has learnt. Its id is in there too: a Sentinel that came back
# with another would be counted twice.
set -eu
if [ ! -s /data/sentinel.conf ]; then
  cat > /data/sentinel.conf.new <<CONF
port 26379
dir /data
protected-mode no
sentinel resolve-hostnames yes
sentinel announce-hostnames yes
sentinel monitor frontrow $FIRST 6379 2
sentinel auth-pass frontrow $REDIS_PASSWORD
# Locks that are lost cost speed, a Redis that is away costs more: go over to the replica soon.
sentinel down-after-milliseconds frontrow 2000
sentinel failover-timeout frontrow 6000
sentinel parallel-syncs frontrow 1
CONF
  mv /data/sentinel.conf.new /data/sentinel.conf
fi
exec redis-server /data/sentinel.conf --sentinel
