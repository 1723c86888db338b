"""The page of general outages: area, state, sites, and whether it can be undone (S10.2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from meldkamer.console.timing import clock_or_day
from meldkamer.incidents.outage_queries import Outage, SiteOfOutage
from meldkamer.terms.loader import load

Moment = Callable[[datetime], str]


@dataclass(frozen=True, slots=True)
class SiteRow:
    """One site: its name and place, its state in words, the incident that handles it singly."""

    name: str
    place: str
    dark: bool
    state: str
    incident: int | None
    handled: str


@dataclass(frozen=True, slots=True)
class OutageCard:
    """One outage."""

    id: int
    area: str
    provider: str
    runs: bool
    state: str
    counts: str
    follows: str
    undone: str
    can_undo: bool
    sites: tuple[SiteRow, ...]
    more: int


def cards(found: Sequence[Outage], now: datetime, zone: ZoneInfo) -> list[OutageCard]:
    """The cards of the page, in the order given."""
    return [_card(one, now, zone) for one in found]


def _card(one: Outage, now: datetime, zone: ZoneInfo) -> OutageCard:
    row = one.row

    def moment(at: datetime) -> str:
        return clock_or_day(at, now, zone)

    undone = ""
    if row.undone_at is not None:
        who = row.undone_by.get_full_name() or row.undone_by.username if row.undone_by else ""
        undone = _("undone %(at)s by %(who)s: %(reason)s") % {
            "at": moment(row.undone_at), "who": who, "reason": row.undo_reason,
        }  # fmt: skip
    state = _("since %(at)s, last failure %(last)s") % {
        "at": moment(row.declared_at), "last": moment(row.last_power_at),
    }  # fmt: skip
    if row.ended_at is not None and row.undone_at is None:
        state += ", " + _("ended %(at)s") % {"at": moment(row.ended_at)}
    return OutageCard(
        id=row.pk,
        area=row.area,
        provider=row.provider.name,
        runs=row.ended_at is None,
        state=state,
        counts=_("%(dark)s of %(count)s sites are dark") % {"dark": one.dark, "count": one.count},
        follows=_follows(one, moment),
        undone=undone,
        can_undo=row.undone_at is None and one.dark > 0,
        sites=tuple(_site(site, moment) for site in one.sites),
        more=one.more,
    )


def _follows(one: Outage, moment: Moment) -> str:
    """What the house does by itself next."""
    row = one.row
    if row.undone_at is not None or one.dark == 0:
        return ""
    if row.rechecked_at is not None:
        return _("The dark sites were handed to the operators singly.")
    if row.first_restore_at is None:
        return _("No site is back yet. Half an hour after the first one the others are handled.")
    recheck_s = load(row.provider.terms).outage.recheck_s
    at = row.first_restore_at + timedelta(seconds=recheck_s)
    return _("Who is dark at %(at)s is handled singly.") % {"at": moment(at)}


def _site(site: SiteOfOutage, moment: Moment) -> SiteRow:
    dark = site.restored_at is None
    at = site.failed_at if dark else site.restored_at
    words = _("dark since %(at)s") if dark else _("back since %(at)s")
    handled = ""
    if site.incident is not None:
        handled = _("handled singly") if site.incident_open else _("was handled singly")
    return SiteRow(
        site.name,
        site.place,
        dark,
        words % {"at": moment(at) if at else "–"},
        site.incident,
        handled,
    )
