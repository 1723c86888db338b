"""Small stories in which one planted fault shows, as the simulator's tables."""

from datetime import date, datetime, timedelta, timezone
from random import Random
from typing import Any

Tables = dict[str, Any]
START = datetime(2026, 3, 2, 22, 0, tzinfo=timezone(timedelta(hours=1)))


def contact(number: int = 1, **script: Any) -> Tables:
    """A contact with a Belgian mobile."""
    return {"name": f"Person {number}", "phone": f"+3247512{number:04d}", **script}


def site(*contacts: Tables, **keys: Any) -> Tables:
    """A site of a shop with two zones."""
    zones = [{"number": n, "detector": f"pir-{n}", "kind": "pir"} for n in (1, 2)]
    return {
        "name": "Shop",
        "address": "Meir 1, 2000 Antwerpen",
        "account": "B100",
        "plan": "proguard",
        "formula": "operator",
        "zone": zones,
        "contact": list(contacts or (contact(1), contact(2))),
        **keys,
    }


def story(*events: Tables, at: Tables | None = None, **keys: Any) -> Tables:
    """A story at one site."""
    return {
        "title": "one planted fault",
        "clauses": [],
        "terms": "securitas-2022-05",
        "start": START,
        "operators": keys.pop("operators", 1),
        "event": list(events),
        "site": [at or site()],
        **keys,
    }


def event(seconds: int, **keys: Any) -> Tables:
    """An event so long after the start."""
    return {"at": f"+{seconds}s", **keys}


BURGLARY = story(event(60, signal="BA", zone=1))
TWO_AT_ONE_ZONE = story(event(60, signal="BA", zone=1), event(90, signal="BA", zone=1))
TWO_ZONES = story(event(60, signal="BA", zone=1), event(90, signal="BA", zone=2))
BATTERY = story(event(60, signal="YT"))
BATTERY_OK = story(
    event(60, signal="YT"), at=site(contact(1, sms={"after": "30s", "text": " OK "}), contact(2))
)
BATTERY_QUESTION = story(
    event(60, signal="YT"),
    at=site(contact(1, sms={"after": "30s", "text": "what?"}), contact(2)),
    operators=0,
    until="+2h",
)
BATTERY_RESTORED = story(event(60, signal="YT"), event(100, signal="YR"))
BATTERY_AFTER_AN_OUTAGE = story(
    event(60, signal="YT"),
    carrier=[{"channel": "sms", "from": "+0s", "to": "+80s", "does": "refuses"}],
)
POWER = story(event(60, signal="AT"))
IN_TEST = story(event(10, written="test", duration="1h"), event(60, signal="BA", zone=1))
NOT_SELECTED = story(event(60, signal="BA", zone=1), at=site(types=["fire"]))
TESTS = story(event(10, signal="RP"), at=site(test_period="1h", test_wait="1m"), until="+3h")
TRIAL = story(event(60, signal="HA"), at=site(activated=date(2026, 3, 1)))
WRONG_CODE = story(
    event(60, signal="BA", zone=1),
    at=site(contact(1, answers="yes", says="false_alarm", gives_code="wrong"), contact(2)),
)
CALLER_WITH_A_WRONG_CODE = story(
    event(60, signal="BA", zone=1),
    event(70, phone_from="Person 1", code="wrong", says="false_alarm"),
)
TEST_WITH_A_WRONG_CODE = story(
    event(60, phone_from="Person 1", code="wrong", says="start_test", duration="1h")
)
DURESS = story(event(60, signal="1121"))
TWO_TYPES = story(event(60, signal="WA"), event(61, signal="HA"), event(62, signal="BA", zone=1))
SLOW = story(event(60, signal="BA", zone=1), terms_changes={"queue.remind_every_s": 86400})
#: twelve batteries, each confirmed by text, and deaths at commits that follow no pattern
KILLED_OFTEN = story(
    *(event(600 * number, signal="YT") for number in range(12)),
    at=site(contact(1, sms={"after": "30s", "text": "ok"})),
    crash_at_commits=sorted(Random(1).sample(range(5, 400), 80)),
)
