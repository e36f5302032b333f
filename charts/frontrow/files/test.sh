# Buys two tickets at $API, from registration to the QR codes, and cancels the event again. The image has busybox and curl only.
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

step "the admin gives a user the organiser role"
answer=$(call POST /auth/login "{\"email\":\"$ADMIN_EMAIL\",\"password\":\"$ADMIN_PASSWORD\"}")
admin=$(echo "$answer" | field session_id)
answer=$(call POST /auth/register "{\"email\":\"organizer-$unique@frontrow.example\",\"password\":\"$password\",\"name\":\"Organiser\"}")
call PUT "/auth/users/$(echo "$answer" | own_id)/role" '{"role":"organizer"}' "$admin" > /dev/null
answer=$(call POST /auth/login "{\"email\":\"organizer-$unique@frontrow.example\",\"password\":\"$password\"}")
organizer=$(echo "$answer" | field session_id)

step "the organiser puts an event on sale"
answer=$(call POST /venues '{"name":"Test Hall","city":"Vienna","time_zone":"Europe/Vienna",
  "categories":[{"id":"front","name":"Front"}],
  "sections":[{"id":"stalls","name":"Stalls","rows":[{"label":"A","category":"front","seats":[
    {"number":"1","x":0,"y":0},{"number":"2","x":1,"y":0}]}]}]}' "$organizer")
venue=$(echo "$answer" | own_id)
answer=$(call POST /events "{\"name\":\"helm test\",\"venue_id\":\"$venue\",\"time_zone\":\"Europe/Vienna\",\"currency\":\"EUR\",
  \"starts_at\":\"2040-05-01T19:00:00Z\",\"ends_at\":\"2040-05-01T22:00:00Z\",
  \"sale_starts_at\":\"2026-01-01T00:00:00Z\",\"sale_ends_at\":\"2040-05-01T18:00:00Z\",
  \"ticket_types\":[{\"id\":\"front\",\"name\":\"Front\",\"category\":\"front\",\"price\":4500}]}" "$organizer")
event=$(echo "$answer" | own_id)
call POST "/events/$event/publish" '' "$organizer" > /dev/null
until_has 60 "an event on sale" "/events/$event/seats" '"blocks"'

step "a buyer registers, holds two seats and pays"
call POST /auth/register "{\"email\":\"buyer-$unique@frontrow.example\",\"password\":\"$password\",\"name\":\"Buyer\"}" > /dev/null
answer=$(call POST /auth/login "{\"email\":\"buyer-$unique@frontrow.example\",\"password\":\"$password\"}")
buyer=$(echo "$answer" | field session_id)
answer=$(call POST /bookings "{\"event_id\":\"$event\",\"seat_ids\":[\"1-0\",\"1-1\"]}" "$buyer")
booking=$(echo "$answer" | own_id)
call POST /payments "{\"booking_id\":\"$booking\",\"payment_method\":\"pm_ok\"}" "$buyer" > /dev/null
until_has 60 "a confirmed booking" "/bookings/$booking" '"status":"confirmed"' "$buyer"
until_has 5 "tickets with codes" "/bookings/$booking/tickets" '"qr_png"' "$buyer"

step "the seats are gone"
code=$(curl -s --max-time 15 -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' -H "Authorization: Bearer $buyer" \
  -d "{\"event_id\":\"$event\",\"seat_ids\":[\"1-1\"]}" "$API/bookings")
[ "$code" = 409 ] || { echo "FAILED: a second booking of the seat was answered $code, not 409" >&2; exit 1; }

step "the organiser cancels the event; the buyer is refunded"
call POST "/events/$event/cancel" '' "$organizer" > /dev/null
until_has 60 "a cancelled booking" "/bookings/$booking" '"status":"cancelled"' "$buyer"
step "passed"
