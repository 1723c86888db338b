"""The only writer of the watch. What it finds becomes a synthetic signal in the journal, so that
everything comes in one way; it opens no incident itself.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from meldkamer.agenda import commands as agenda
from meldkamer.journal import commands as journal
from meldkamer.journal.synthetic import store_synthetic
from meldkamer.sites.models import OpeningHours, Site
from meldkamer.terms.model import Terms
from meldkamer.watch import expectations
from meldkamer.watch.expectations import CLOSE, OPEN, Hours
from meldkamer.watch.models import LineTestWatch, UndefinedCode

TEST_DUE, HOURS_DUE = "line_test.due", "hours.due"


def watch_line_tests(site: Site, since: datetime, now: datetime) -> None:
    """Begin to expect test messages, the first a period after `since` (S10.3, R20)."""
    if not site.test_period_s:
        return
    expected = expectations.expected_after(since, site.test_period_s)
    LineTestWatch.objects.update_or_create(
        site=site, defaults={"expected_at": expected, "missed": 0, "last_test_at": None}
    )
    _schedule_test(site, expected, now)


def _schedule_test(site: Site, expected: datetime, now: datetime) -> None:
    due = expected + timedelta(seconds=site.test_wait_s or 0)
    agenda.schedule(TEST_DUE, f"site:{site.pk}", due, now, payload={"site": site.pk})


def test_received(site: Site, at: datetime, now: datetime) -> None:
    """A test message: the next one is expected a period later; a return is told (S10.3)."""
    watch = LineTestWatch.objects.filter(site=site).first()
    if watch is None or not site.test_period_s:
        return
    missed = watch.missed
    watch.expected_at = expectations.expected_after(at, site.test_period_s)
    watch.last_test_at, watch.missed = at, 0
    watch.save(update_fields=["expected_at", "last_test_at", "missed"])
    _schedule_test(site, watch.expected_at, now)
    if missed:
        store_synthetic(
            site_id=site.pk,
            at=now,
            code="line_test.returned",
            role="restore",
            signal_type="restore",
            restores_type="line_test",
            found={"count": missed},
        )


test_received.__test__ = False  # type: ignore[attr-defined]  # pytest: this is no test


def test_missed(site: Site, terms: Terms, now: datetime) -> None:
    """The expected test message did not come in time: count it, expect the next (S10.3)."""
    watch = LineTestWatch.objects.select_for_update().get(site=site)
    if not site.test_period_s:
        return
    watch.missed += 1
    watch.expected_at = expectations.next_test(watch.expected_at, site.test_period_s)
    watch.save(update_fields=["missed", "expected_at"])
    _schedule_test(site, watch.expected_at, now)
    if watch.missed > terms.line_test.handled:
        # the third was handled, the fourth is not: kept in the journal, told in the daily report
        journal.write(
            "line_test.unwatched",
            now,
            provider_id=site.provider_id,
            site_id=site.pk,
            clause="S10.3",
            data={"count": watch.missed},
        )
        return
    store_synthetic(
        site_id=site.pk,
        at=now,
        code="line_test.missed",
        role="event",
        signal_type="line_test",
        found={"count": watch.missed},
    )


test_missed.__test__ = False  # type: ignore[attr-defined]


def hours_of(site: Site, area: str) -> list[Hours]:
    """The agreed hours of a site's area."""
    return [
        Hours(row.weekday, row.on_date, row.opens, row.closes, row.margin_s)
        for row in OpeningHours.objects.filter(site=site, area=area)
    ]


def watch_hours(site: Site, now: datetime) -> None:
    """Begin to expect openings and closings of every area with hours (S11.1)."""
    zone = ZoneInfo(site.timezone)
    for area in sorted(set(OpeningHours.objects.filter(site=site).values_list("area", flat=True))):
        hours = hours_of(site, area)
        _schedule_hours(site, area, hours, now, now)
        if site.armed is None:
            site.armed = not expectations.open_at(hours, zone, now)
            site.save(update_fields=["armed"])


def _schedule_hours(
    site: Site, area: str, hours: list[Hours], after: datetime, now: datetime
) -> None:
    found = expectations.deadlines(hours, ZoneInfo(site.timezone), after)
    if found is not None:
        due, expected = found
        payload = {"site": site.pk, "area": area, "expected": expected}
        agenda.schedule(HOURS_DUE, f"site:{site.pk}:{area}", due, now, payload=payload)


def hours_due(site: Site, area: str, expected: str, due: datetime, now: datetime) -> None:
    """The margin is over: is the site in the expected state? (S11.1)"""
    hours = hours_of(site, area)
    _schedule_hours(site, area, hours, due, now)
    if site.armed is not None and site.armed == (expected == OPEN):
        _schedule_missed(site, area, expected, "late", now)


def arming_changed(
    site: Site, armed: bool, area: str, by: str, at: datetime, now: datetime
) -> None:
    """Armed or disarmed: kept for the screens (D907.2), and judged by the hours (S11.1)."""
    site.armed, site.armed_changed_at, site.armed_by = armed, at, by[:80]
    site.save(update_fields=["armed", "armed_changed_at", "armed_by"])
    hours = hours_of(site, area) or hours_of(site, "")
    if not hours:
        return
    change = CLOSE if armed else OPEN
    wrong = expectations.off_schedule(hours, ZoneInfo(site.timezone), at, change)
    if wrong is not None:
        _schedule_missed(site, area, *wrong, now)


def _schedule_missed(site: Site, area: str, expected: str, how: str, now: datetime) -> None:
    store_synthetic(
        site_id=site.pk,
        at=now,
        code="schedule.missed",
        role="event",
        signal_type="open_close",
        area=area or None,
        found={"expected": expected, "how": how},
    )


def told_undefined(site: Site, code: str, now: datetime) -> None:
    """The installer was told of an unknown code, once (S10.5)."""
    UndefinedCode.objects.get_or_create(site=site, code=code, defaults={"told_at": now})


def handle_undefined(site: Site, code: str, now: datetime) -> None:
    """A written instruction: an unknown code is to be handled after all (S10.5)."""
    UndefinedCode.objects.update_or_create(
        site=site,
        code=code,
        defaults={"handle": True},
        create_defaults={"told_at": now, "handle": True},
    )
