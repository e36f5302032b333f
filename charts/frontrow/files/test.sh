# Registers an account, holds a seat, buys two tickets at $API and cancels the event again. The admin buys, since the address of
# a new account is not verified. The image has busybox and curl only.
step() { echo "$(date -u +%H:%M:%S) $1"; }

# field NAME prints the first string with that name in the JSON it reads.
field() { grep -o "\"$1\":\"[^\"]*\"" | head -n 1 | cut -d '"' -f 4; }

# own_id prints the first UUID called id in the JSON it reads. It is the object's own: parts of it that come first have
# names that are not UUIDs.
own_id() { grep -o '"id":"[0-9a-f-]\{36\}"' | head -n 1 | cut -d '"' -f 4; }

# call METHOD PATH BODY [SESSION] prints the response. An error response ends the test and is printed.
call() {
  if ! body=$(curl -sS --max-time 15 --fail-with-body -X "$1" -H 'Content-Type: application/json' -H "Authorization: Bearer ${4-}" \
    -d "$3" "$API$2"); then
    printf 'FAILED: %s %s: %s\n' "$1" "$2" "$body" >&2
    return 1
  fi
  printf '%s\n' "$body"
}

# until_has SECONDS WHAT PATH TEXT [SESSION] repeats a GET once a second until the response contains TEXT.
until_has() {
  tries=$1
  while ! curl -s --max-time 5 -H "Authorization: Bearer ${5-}" "$API$3" | grep -q "$4"; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || { echo "FAILED: not within $1 s: $2" >&2; exit 1; }
    sleep 1
  done
}

read -r unique < /proc/sys/kernel/random/uuid
password='correct horse battery'

step "waiting for the gateway and event-service"
until_has 60 "a response from the gateway" /events '"items"'

# log_in EMAIL PASSWORD prints a session id.
log_in() { call POST /auth/login "{\"email\":\"$1\",\"password\":\"$2\",\"session\":\"token\"}" | field session_id; }

step "the admin puts an event on sale"
admin=$(log_in "$ADMIN_EMAIL" "$ADMIN_PASSWORD")
answer=$(call POST /venues '{"name":"Test Hall","city":"Vienna","time_zone":"Europe/Vienna",
  "categories":[{"id":"front","name":"Front"}],
  "sections":[{"id":"stalls","name":"Stalls","rows":[{"label":"A","category":"front","seats":[
    {"number":"1","x":0,"y":0},{"number":"2","x":1,"y":0},{"number":"3","x":2,"y":0}]}]}]}' "$admin")
venue=$(echo "$answer" | own_id)
answer=$(call POST /events "{\"name\":\"helm test\",\"venue_id\":\"$venue\",\"time_zone\":\"Europe/Vienna\",\"currency\":\"EUR\",
  \"starts_at\":\"2040-05-01T19:00:00Z\",\"ends_at\":\"2040-05-01T22:00:00Z\",
  \"sale_starts_at\":\"2026-01-01T00:00:00Z\",\"sale_ends_at\":\"2040-05-01T18:00:00Z\",
  \"ticket_types\":[{\"id\":\"front\",\"name\":\"Front\",\"category\":\"front\",\"price\":4500}]}" "$admin")
event=$(echo "$answer" | own_id)
call POST "/events/$event/publish" '' "$admin" > /dev/null
until_has 60 "an event on sale" "/events/$event/seats" '"blocks"'

step "a visitor registers and holds a seat"
call POST /auth/register "{\"email\":\"visitor-$unique@frontrow.example\",\"password\":\"$password\",\"name\":\"Visitor\"}" > /dev/null
visitor=$(log_in "visitor-$unique@frontrow.example" "$password")
call POST /bookings "{\"event_id\":\"$event\",\"seat_ids\":[\"1-2\"]}" "$visitor" > /dev/null

step "the admin buys two seats"
answer=$(call POST /bookings "{\"event_id\":\"$event\",\"seat_ids\":[\"1-0\",\"1-1\"]}" "$admin")
booking=$(echo "$answer" | own_id)
call POST /payments "{\"booking_id\":\"$booking\",\"payment_method\":\"pm_ok\"}" "$admin" > /dev/null
until_has 60 "a confirmed booking" "/bookings/$booking" '"status":"confirmed"' "$admin"
until_has 5 "tickets with codes" "/bookings/$booking/tickets" '"qr_png"' "$admin"

step "the seats are gone"
code=$(curl -s --max-time 15 -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' -H "Authorization: Bearer $visitor" \
  -d "{\"event_id\":\"$event\",\"seat_ids\":[\"1-1\"]}" "$API/bookings")
[ "$code" = 409 ] || { echo "FAILED: a second booking of the seat was answered $code, not 409" >&2; exit 1; }

step "the admin cancels the event and is refunded"
call POST "/events/$event/cancel" '' "$admin" > /dev/null
until_has 60 "a cancelled booking" "/bookings/$booking" '"status":"cancelled"' "$admin"
step "passed"
