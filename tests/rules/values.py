"""Facts for the rules' tests: a site, an incident, signals, with as little as they need."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from meldkamer.rules.facts import (
    ContactFacts,
    IncidentFacts,
    Past,
    SignalFacts,
    SiteFacts,
    ZoneFacts,
)
from meldkamer.terms.loader import load

NOW = datetime(2026, 3, 2, 21, 0, tzinfo=UTC)
TERMS = load("securitas-2022-05")


def at(seconds: float) -> datetime:
    """So many seconds after NOW."""
    return NOW + timedelta(seconds=seconds)


def site(**more: Any) -> SiteFacts:
    """A ProGuard site with two contacts and three zones, two of one detector."""
    values: dict[str, Any] = {
        "id": 1, "provider_id": 1, "name": "Site", "timezone": ZoneInfo("Europe/Brussels"),
        "plan": "proguard", "formula": "operator", "types": None, "options": frozenset(),
        "premises_phone": "+3232345678", "premises_person": "",
        "contacts": tuple(
            ContactFacts(n, f"Contact {n}", f"+3247500000{n}", "", "nl", True) for n in (1, 2)
        ),
        "zones": {
            "1": ZoneFacts("1", detector="door"),
            "2": ZoneFacts("2", detector="door"),
            "3": ZoneFacts("3", detector="pir", kind="call_point"),
        },
        "terms": TERMS,
    }  # fmt: skip
    return SiteFacts(**(values | more))


def signal(after_s: float = 0, **more: Any) -> SignalFacts:
    """A burglary in zone 1."""
    values: dict[str, Any] = {
        "id": 1, "at": at(after_s), "code": "BA", "role": "event", "type": "intrusion", "zone": "1"
    }  # fmt: skip
    return SignalFacts(**(values | more))


def incident(
    *past: Past, type: str = "intrusion", where: SiteFacts | None = None, **more: Any
) -> IncidentFacts:
    """An open incident with a course."""
    values: dict[str, Any] = {
        "id": 1, "opened_at": NOW, "state": "taken", "procedure": TERMS.procedure(type)
    }  # fmt: skip
    return IncidentFacts(type=type, site=where or site(), history=past, **(values | more))


def call(to: str = "c1", says: str = "coming", accepted: bool = True, **more: Any) -> Past:
    """A call that was made."""
    data = {"key": to, "round": 1, "result": "reached", "accepted": accepted, "says": says}
    return Past(NOW, "call.result", data=data | more)
