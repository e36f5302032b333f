# For scripts to source: fail, and commands that are silent unless they fail.
fail() { echo "error: $*" >&2; exit 1; }

# quietly WHAT COMMAND... runs a command and prints how long WHAT took, or the end of the output and an error.
quietly() {
  local what=$1 log began=$SECONDS
  shift
  log=$(mktemp)
  "$@" > "$log" 2>&1 || { tail -n 40 "$log" >&2; rm -f "$log"; fail "$what could not be made"; }
  rm -f "$log"
  printf '  %s (%d s)\n' "$what" $((SECONDS - began))
}
