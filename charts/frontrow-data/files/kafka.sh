# Starts a broker. The first one also gives each service its password, at every start: they are in the cluster's metadata, and a
# cluster from before there were passwords must get them too. /tmp/users says that they are set.
set -eu
if [ -d /etc/tls ]; then
  (umask 077 && cat /etc/tls/tls.key /etc/tls/tls.crt > /tmp/keystore.pem)
fi

# As the brokers themselves, on the listener where the password is in the configuration.
give_passwords() {
  local service variable
  (umask 077 && cat > /tmp/broker.properties) << PROPERTIES
security.protocol=$PROTOCOL
sasl.mechanism=PLAIN
sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="broker" password="$BROKER_PASSWORD";
ssl.truststore.type=PEM
ssl.truststore.location=/etc/tls/ca.crt
PROPERTIES
  until (exec 3<> "/dev/tcp/$POD_IP/9094") 2> /dev/null; do sleep 1; done
  for service in $SERVICES; do
    variable=PASSWORD_${service//-/_}
    until KAFKA_HEAP_OPTS=-Xmx64m /opt/kafka/bin/kafka-configs.sh --bootstrap-server "$ADDRESS:9094" \
      --command-config /tmp/broker.properties --alter --entity-type users --entity-name "$service" \
      --add-config "SCRAM-SHA-512=[password=${!variable}]"; do
      sleep 2
    done
  done
  touch /tmp/users
}

rm -f /tmp/users
if [ "$KAFKA_NODE_ID" = 0 ]; then give_passwords & else touch /tmp/users; fi
exec /etc/kafka/docker/run
