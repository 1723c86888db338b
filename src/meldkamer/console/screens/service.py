"""What stands of the service of a site: tests, interruptions, needless alarms; for the site card.

Invariant: whatever keeps a signal of the site from being handled is said here, with its clause.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from meldkamer.console import wording
from meldkamer.console.timing import clock_or_day, day_and_time
from meldkamer.contracts.models import Interruption, Task, TestMode
from meldkamer.contracts.needless import Tally
from meldkamer.sites.models import Site

_CODES_SHOWN = 6


@dataclass(frozen=True, slots=True)
class State:
    """One thing that stands: its words, what more there is to it, its clause."""

    words: str
    more: str
    clause: str
    grave: bool = False


def states(site: Site, counted: Tally, now: datetime) -> tuple[State, ...]:
    """All of them, the gravest first; counted: its needless alarms."""
    zone = ZoneInfo(site.timezone)
    found = [
        _interruption(row, zone)
        for row in Interruption.objects.filter(site=site, ended_at=None)
        .select_related("transmitter")
        .order_by("started_at")
    ]
    running = TestMode.objects.filter(site=site, ended_at=None, until__gt=now).order_by("until")
    found += [_test(test, now, zone) for test in running]
    return (*found, *_needless(site, counted, zone))


def _interruption(row: Interruption, zone: ZoneInfo) -> State:
    since = _("since %(when)s") % {"when": day_and_time(row.started_at, zone)}
    parts = [since, *types(row.types)]
    if row.transmitter is not None:
        parts.append(row.transmitter.account)
        parts += [f"{one['code']} ×{one['count']}" for one in codes(row.evidence)]
    elif row.review_at is not None:
        day = day_and_time(row.review_at, zone)
        parts.append(_("looked at again %(when)s") % {"when": day})
    return State(str(row.get_kind_display()), ", ".join(parts), row.clause, grave=True)


def codes(evidence: dict[str, object]) -> list[dict[str, object]]:
    """The codes that came most, of what was counted."""
    found = evidence.get("codes")
    return list(found)[:_CODES_SHOWN] if isinstance(found, list) else []


def types(keys: list[str]) -> list[str]:
    """Types as words."""
    return [wording.word(wording.TYPES, key) for key in keys]


def scope(test: TestMode) -> str:
    """What a test is about."""
    zones = [f"z{number}" for number in test.zones]
    areas = [_("area %(area)s") % {"area": area} for area in test.areas]
    return ", ".join([*zones, *areas, *types(test.types)]) or _("whole site")


def _test(test: TestMode, now: datetime, zone: ZoneInfo) -> State:
    until = _("until %(until)s") % {"until": clock_or_day(test.until, now, zone)}
    return State(_("in test"), f"{until}, {scope(test)}, {test.asked_by}", "S20.1")


def _needless(site: Site, tally: Tally, zone: ZoneInfo) -> list[State]:
    """Said from the warning on; the count itself stands with the last incidents."""
    if tally.warned_at is None:
        return []
    when = day_and_time(tally.warned_at, zone)
    more = [_("warned %(when)s") % {"when": when}]
    if Task.objects.filter(site=site, closed_at=None).exists():
        more.append(_("the customer is to be called"))
    return [State(_("needless alarms: %(n)s") % {"n": tally.count}, ", ".join(more), "S12.2")]


def summary(test: TestMode) -> str:
    """What came in a test that has ended, in a line."""
    told = test.summary
    parts = [_("%(n)s signals") % {"n": told.get("signals", 0)}]
    parts += [f"{code} ×{count}" for code, count in list((told.get("codes") or {}).items())[:8]]
    left = told.get("unrestored") or []
    if left:
        words = ", ".join(
            f"{wording.word(wording.TYPES, one['type'])} z{one['zone']}".removesuffix(" z")
            for one in left
        )
        parts.append(_("not restored: %(what)s") % {"what": words})
    return ", ".join(parts)
