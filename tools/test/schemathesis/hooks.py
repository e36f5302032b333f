"""Gives the requests of schemathesis sessions, and ids of things that exist.

Most requests are the admin's. Those that would end its session or change its
account are made by accounts of their own. Half of the valid ids in paths and
bodies are replaced by those of an event on sale and of a booking in it:
otherwise nearly every answer would be 404.
"""

import json
import os
import random
import time
import urllib.request
import uuid

import schemathesis

URL = os.environ["FRONTROW_URL"]

SPOILS_ACCOUNT = {
    "logout", "logoutEverywhere", "changeAccount", "changePassword", "changeEmail", "deleteAccount", "beginSecondFactor",
    "confirmSecondFactor", "removeSecondFactor", "renewRecoveryCodes", "endSession", "reauthenticate", "resendVerification",
}

dice = random.Random(1)


def call(method, path, body=None, session=None):
    headers = {"Content-Type": "application/json"} if body is not None else {}
    if session:
        headers["Authorization"] = "Bearer " + session
    data = json.dumps(body).encode() if body is not None else None
    with urllib.request.urlopen(urllib.request.Request(URL + path, data, headers, method=method)) as answer:
        return json.load(answer)


def login(email, password):
    return call("POST", "/auth/login", {"email": email, "password": password, "session": "token"})["session_id"]


class World:
    """The admin's session, and what it has put on sale."""

    def __init__(self):
        self.login()
        at = lambda days: time.strftime("%Y-%m-%dT20:00:00Z", time.gmtime(time.time() + days * 86400))
        category = [{"id": "front", "name": "Front"}]
        seats = [{"number": str(n), "x": 10.0 * n, "y": 0.0, "category": "front"} for n in range(1, 51)]
        self.venue = call("POST", "/venues", {
            "name": "Fuzz Hall", "city": "Vienna", "time_zone": "Europe/Vienna", "categories": category,
            "sections": [{"id": "stalls", "name": "Stalls", "rows": [{"label": "A", "seats": seats}]}],
        }, self.admin)["id"]
        self.event = call("POST", "/events", {
            "venue_id": self.venue, "name": "Fuzz", "starts_at": at(30), "ends_at": at(31), "time_zone": "Europe/Vienna",
            "currency": "EUR", "sale_starts_at": at(-2), "sale_ends_at": at(29), "max_seats_per_buyer": 50, "hold_seconds": 900,
            "ticket_types": [{"id": "front", "category": "front", "name": "Front", "price": 1000}],
        }, self.admin)["id"]
        call("POST", f"/events/{self.event}/publish", None, self.admin)
        for _ in range(100):  # until booking-service knows the event
            try:
                self.booking = call("POST", "/bookings", {"event_id": self.event, "seat_ids": ["1-0"]}, self.admin)["id"]
                break
            except urllib.error.HTTPError as e:
                if e.code != 409:
                    raise
                time.sleep(0.1)

    def login(self):
        self.admin = login(os.environ["FRONTROW_ADMIN_EMAIL"], os.environ["FRONTROW_ADMIN_PASSWORD"])

    def known(self, path):
        return {"venues": self.venue, "events": self.event, "bookings": self.booking}.get(path.split("/")[1])


world = World()


@schemathesis.auth(cache_by_key=lambda case, context: "")
class Session:
    def get(self, case, context):
        return ""

    def set(self, case, data, context):
        session = world.admin
        if case.operation.definition.raw.get("operationId") in SPOILS_ACCOUNT:
            email, password = f"fuzz-{uuid.uuid4()}@example.org", str(uuid.uuid4())
            call("POST", "/auth/register", {"email": email, "password": password, "name": "Fuzz"})
            session = login(email, password)
        case.headers = {**(case.headers or {}), "Authorization": "Bearer " + session}


def is_uuid(value):
    try:
        return str(uuid.UUID(value)) == value.lower()
    except (AttributeError, TypeError, ValueError):
        return False


@schemathesis.hook
def before_call(context, case, kwargs):
    known = world.known(case.operation.path)
    cancels = case.operation.path.endswith("/cancel") or case.method == "DELETE"
    if known and not cancels and is_uuid((case.path_parameters or {}).get("id")) and dice.random() < 0.5:
        case.path_parameters["id"] = known
    if isinstance(case.body, dict) and dice.random() < 0.5:
        for member, value in (("event_id", world.event), ("venue_id", world.venue), ("booking_id", world.booking)):
            if is_uuid(case.body.get(member)):
                case.body[member] = value


@schemathesis.hook
def after_call(context, case, response):
    if response.status_code == 401 and b"session_invalid" in response.content:
        world.login()
