"""Does the house keep its own rules? The red banner of every desk, and the findings behind it.

Shows what the auditor saw; looks at nothing itself. Never: name a site of a provider that this
person does not work for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from meldkamer.console import house_words
from meldkamer.console.timing import clock_or_day
from meldkamer.incidents.house_checks import MOST, House
from meldkamer.incidents.models import HouseCheck

#: findings shown of one check; the rest is counted
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Banner:
    """What every desk sees while something does not hold."""

    head: str
    words: str
    clause: str


@dataclass(frozen=True, slots=True)
class Found:
    """One finding: when, what, where, and the incident to open, if it is one of theirs."""

    when: str
    what: str
    where: str
    note: str
    incident: int | None = None


@dataclass(frozen=True, slots=True)
class Broken:
    """One check that does not hold, with what to do about it."""

    head: str
    since: str
    count: str
    do: str
    clause: str
    found: tuple[Found, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Page:
    """The supervisor's page."""

    broken: tuple[Broken, ...]
    stale: str
    looked_at: str


def banner(house: House, now: datetime, zone: ZoneInfo) -> Banner | None:
    """None while everything was looked at lately and holds."""
    if house.holds:
        return None
    if not house.broken:
        return Banner(_("Nobody watches over this centre."), _stale(house, now, zone), "M12.3")
    first = house.broken[0]
    since = clock_or_day(first.broken_since or now, now, zone)
    words = _("since %(since)s · %(count)s") % {"since": since, "count": _count(first)}
    more = len(house.broken) - 1
    if more:
        others = ngettext("and %(n)s more", "and %(n)s more", more) % {"n": more}
        words = f"{words} · {others}"
    if house.stale:
        words = f"{words} · {_stale(house, now, zone)}"
    return Banner(house_words.head(first.name), words, first.clause)


def _stale(house: House, now: datetime, zone: ZoneInfo) -> str:
    if house.looked_at is None:
        return _("It was never checked. Is a worker running?")
    when = clock_or_day(house.looked_at, now, zone)
    return _("Last complete check at %(when)s. Is a worker running?") % {"when": when}


def _count(row: HouseCheck) -> str:
    n = f"{row.count}+" if row.count >= MOST else str(row.count)
    return ngettext("%(n)s finding", "%(n)s findings", row.count) % {"n": n}


def page(house: House, names: Mapping[int, str], now: datetime, zone: ZoneInfo) -> Page:
    """Everything that does not hold. `names`: the sites that this person may see, by id."""
    return Page(
        broken=tuple(_broken(row, names, now, zone) for row in house.broken),
        stale=_stale(house, now, zone) if house.stale else "",
        looked_at=clock_or_day(house.looked_at, now, zone) if house.looked_at else "",
    )


def _broken(row: HouseCheck, names: Mapping[int, str], now: datetime, zone: ZoneInfo) -> Broken:
    return Broken(
        head=house_words.head(row.name),
        since=clock_or_day(row.broken_since or now, now, zone),
        count=_count(row),
        do=house_words.what_to_do(row.name),
        clause=row.clause,
        found=tuple(_found(one, names, now, zone) for one in row.findings[:_SHOWN]),
        more=max(0, row.count - _SHOWN),
    )


def _found(one: list[object], names: Mapping[int, str], now: datetime, zone: ZoneInfo) -> Found:
    kind, number, site, at, note = one
    when = clock_or_day(datetime.fromisoformat(str(at)), now, zone) if at else ""
    theirs = site is None or site in names
    incident = int(str(number)) if kind == "incident" and site in names else None
    what = f"{house_words.kind(str(kind))} {number}"
    if not theirs:
        return Found(when, what, _("another provider"), "")
    where = names[int(str(site))] if site is not None else ""
    return Found(when, what, where, str(note), incident)
