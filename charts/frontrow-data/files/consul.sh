# Starts an agent; with -server, a server. The first server also makes the policies and tokens, at every start. /tmp/tokens says
# that they are made.
set -eu
(umask 077 && cat > /tmp/secrets.json) << CONFIG
{
  "encrypt": "$GOSSIP_KEY",
  "acl": {"tokens": {"initial_management": "${CONSUL_HTTP_TOKEN:-}", "agent": "$AGENT_TOKEN"}}
}
CONFIG

make_token() { # NAME TOKEN POLICY
  if ! consul acl policy read -name "$1" > /dev/null 2>&1; then consul acl policy create -name "$1" -rules "$3"; fi &&
    if ! CONSUL_HTTP_TOKEN=$2 consul acl token read -self > /dev/null 2>&1; then
      consul acl token create -policy-name "$1" -secret "$2" -description "$1"
    fi
}

make_tokens() {
  # Agents register themselves.
  until make_token agents "$AGENT_TOKEN" "
    node_prefix \"$NODES\" { policy = \"write\" }
    service_prefix \"\" { policy = \"read\" }" &&
    # Services register and find each other, and elect leaders.
    make_token services "$SERVICES_TOKEN" '
    service_prefix "" { policy = "write" }
    node_prefix "" { policy = "read" }
    session_prefix "" { policy = "write" }
    key_prefix "frontrow/" { policy = "write" }'; do
    sleep 1
  done > /dev/null
  touch /tmp/tokens
}

rm -f /tmp/tokens
if [ -n "${SERVICES_TOKEN:-}" ] && [ "${POD_NAME##*-}" = 0 ]; then make_tokens & else touch /tmp/tokens; fi
exec consul agent "$@" -config-file=/tmp/secrets.json
