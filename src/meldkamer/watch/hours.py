"""The only writer of the watch for opening hours: late, early, off schedule, still open (S11.1).

What is expected next follows from the sheet at every moment, so a change of the hours needs no more
than to be watched again. Each area has a state and a deadline of its own.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from django.db.models import Q

from meldkamer.agenda import commands as agenda
from meldkamer.agenda.models import AgendaRow
from meldkamer.journal.models import Signal
from meldkamer.journal.synthetic import store_synthetic
from meldkamer.sites.models import OpeningHours, Site
from meldkamer.terms.holidays import is_holiday
from meldkamer.terms.loader import load
from meldkamer.terms.model import Terms
from meldkamer.watch.expectations import CLOSE, OPEN, Hours, Plan
from meldkamer.watch.models import AreaArming

HOURS_DUE, STILL_OPEN = "hours.due", "hours.still_open"


def plan_of(site: Site, area: str, terms: Terms | None = None) -> Plan | None:
    """The agreed hours of a site's area; None without any."""
    terms = terms or load(site.provider.terms)
    rows = tuple(
        Hours(row.weekday, row.on_date, row.opens, row.closes, row.margin_s, row.repeat_s)
        for row in OpeningHours.objects.filter(site=site, area=area).order_by("pk")
    )
    if not rows:
        return None
    calendar = partial(is_holiday, rules=terms.open_close.holidays)
    return Plan(rows, ZoneInfo(site.timezone), calendar)


def watch_hours(site: Site, now: datetime) -> None:
    """Expect the openings and closings of every area with hours; forget those of others (S11.1)."""
    areas = set(OpeningHours.objects.filter(site=site).values_list("area", flat=True))
    for kind in (HOURS_DUE, STILL_OPEN):
        rows = AgendaRow.objects.filter(
            kind=kind, subject__startswith=f"site:{site.pk}:", done_at=None
        )
        for subject in rows.values_list("subject", flat=True):
            if subject.split(":", 2)[2] not in areas:
                agenda.strike(kind, subject, now)
    for area in sorted(areas):
        plan = plan_of(site, area)
        if plan is not None:
            _schedule(site, area, plan, now, now)
            _begin_state(site, area, plan, now)


def _begin_state(site: Site, area: str, plan: Plan, now: datetime) -> None:
    """At the start it is open inside its hours and closed outside (R22)."""
    if not area:
        if site.armed is None:
            site.armed = not plan.is_open(now)
            site.save(update_fields=["armed"])
        return
    AreaArming.objects.get_or_create(
        site=site, area=area, defaults={"armed": not plan.is_open(now), "changed_at": now}
    )


def is_armed(site: Site, area: str) -> bool | None:
    """Whether the site, or one of its areas, is armed; None when nothing is known (D907.2)."""
    if area:
        found = AreaArming.objects.filter(site=site, area=area).first()
        if found is not None:
            return found.armed
    return site.armed


def _was_armed(site: Site, area: str, moment: datetime) -> bool | None:
    """The same at a moment that is over: what came after it does not count, however late we are."""
    changed_at = site.armed_changed_at
    state = AreaArming.objects.filter(site=site, area=area).first() if area else None
    if state is not None:
        changed_at = state.changed_at
    if changed_at is None or changed_at <= moment:
        return is_armed(site, area)
    rows = Signal.objects.filter(
        site_id=site.pk, role__in=("arm", "disarm"), received_at__lte=moment
    ).order_by("-received_at", "-id")
    if state is not None:
        rows = rows.filter(Q(area=None) | Q(area__in=("", area, area.rjust(2, "0"))))
    last = rows.values_list("role", flat=True).first()
    return None if last is None else last == "arm"


def _schedule(site: Site, area: str, plan: Plan, after: datetime, now: datetime) -> None:
    found = plan.next_deadline(after)
    if found is None:
        agenda.strike(HOURS_DUE, f"site:{site.pk}:{area}", now)
        return
    due, expected = found
    payload = {"site": site.pk, "area": area, "expected": expected}
    agenda.schedule(HOURS_DUE, f"site:{site.pk}:{area}", due, now, payload=payload)


def hours_due(site: Site, area: str, expected: str, due: datetime, now: datetime) -> None:
    """The margin is over: is the site in the expected state? (S11.1)"""
    plan = plan_of(site, area)
    if plan is None:
        return
    _schedule(site, area, plan, due, now)
    armed = _was_armed(site, area, due)
    if armed is None or armed != (expected == OPEN):
        return
    _missed(site, area, expected, "late", now)
    if expected == CLOSE:
        _look_again(site, area, plan, due, 1, now)


def _look_again(site: Site, area: str, plan: Plan, due: datetime, told: int, now: datetime) -> None:
    """Still open: the sheet's interval, else the terms'; 0 is never."""
    window = plan.latest_closing(due)
    repeat_s = window.repeat_s if window is not None else None
    if repeat_s is None:
        repeat_s = load(site.provider.terms).open_close.repeat_s
    if not repeat_s:
        return
    payload = {"site": site.pk, "area": area, "told": told}
    subject = f"site:{site.pk}:{area}"
    agenda.schedule(STILL_OPEN, subject, due + timedelta(seconds=repeat_s), now, payload=payload)


def still_open(site: Site, area: str, told: int, due: datetime, now: datetime) -> None:
    """Told to be late, and still open: told again, until it is closed or to be open (S11.1)."""
    plan = plan_of(site, area)
    if plan is None or plan.is_open(due) or _was_armed(site, area, due) is not False:
        return
    _missed(site, area, CLOSE, "late", now, count=told + 1)
    _look_again(site, area, plan, due, told + 1, now)


def arming_changed(
    site: Site, armed: bool, area: str, by: str, at: datetime, now: datetime
) -> None:
    """Armed or disarmed: kept for the screens (D907.2), and judged by the hours (S11.1)."""
    site.armed, site.armed_changed_at, site.armed_by = armed, at, by[:80]
    site.save(update_fields=["armed", "armed_changed_at", "armed_by"])
    area = area.lstrip("0")
    change = CLOSE if armed else OPEN
    for one in _areas_meant(site, area, armed, at):
        plan = plan_of(site, one)
        wrong = plan.wrong(at, change) if plan is not None else None
        if wrong is not None:
            _missed(site, one or area, *wrong, now)
        if armed:
            agenda.strike(STILL_OPEN, f"site:{site.pk}:{one}", now)


def _areas_meant(site: Site, area: str, armed: bool, at: datetime) -> list[str]:
    """Whose hours an arming is about: its area's, else the site's; without an area all of them."""
    known = AreaArming.objects.filter(site=site)
    if not area:
        known.update(armed=armed, changed_at=at)
        return ["", *known.order_by("area").values_list("area", flat=True)]
    if known.filter(area=area).update(armed=armed, changed_at=at):
        return [area]
    return [""]


def _missed(
    site: Site, area: str, expected: str, how: str, now: datetime, count: int | None = None
) -> None:
    found = {"expected": expected, "how": how, **({"count": count} if count else {})}
    store_synthetic(
        site_id=site.pk,
        at=now,
        code="schedule.missed",
        role="event",
        signal_type="open_close",
        area=area or None,
        found=found,
    )
