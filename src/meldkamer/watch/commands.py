"""The only writer of the watch for line tests and undefined codes.

What it finds becomes a synthetic signal in the journal, so that everything comes in one way; it
opens no incident itself. Opening hours are in `hours`, power in `mains`, the report in `reporting`.

A test message of one of a million transmitters costs two statements: its row, and its place on the
agenda. Nothing is scanned: what is missed comes up on the agenda by itself.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import connection

from meldkamer.agenda import commands as agenda
from meldkamer.journal import commands as journal
from meldkamer.journal.synthetic import store_synthetic
from meldkamer.sites.models import Site, Transmitter
from meldkamer.terms.loader import load
from meldkamer.terms.model import Terms
from meldkamer.watch import hours, reporting
from meldkamer.watch.expectations import TestSchedule, shortest_gap_s
from meldkamer.watch.models import LineTestWatch, ReportLine, UndefinedCode

TEST_DUE = "line_test.due"
_RECEIVED = """
WITH old AS (
    SELECT missed FROM watch_linetestwatch WHERE transmitter_id = %(transmitter)s FOR UPDATE
), put AS (
    UPDATE watch_linetestwatch SET expected_at = %(expected)s, last_test_at = %(at)s, missed = 0,
        unsupervised_since = NULL
    WHERE transmitter_id = %(transmitter)s
) SELECT missed FROM old
"""


def schedule_of(site: Site, terms: Terms | None = None) -> TestSchedule | None:
    """When the transmitters of a site test; None when its sheet has no line tests (S10.3, R20)."""
    if not site.test_times and not site.test_period_s:
        return None
    times = tuple(site.test_times)
    period_s = shortest_gap_s(times) if times else site.test_period_s or 0
    wait_s = site.test_wait_s
    if wait_s is None:
        wait_s = wait_by_period_s(period_s, terms or load(site.provider.terms))
    return TestSchedule(ZoneInfo(site.timezone), wait_s, site.test_period_s, times)


def wait_by_period_s(period_s: int, terms: Terms) -> int:
    """The waiting time for a period, by the terms' table (S10.3)."""
    table = sorted(terms.line_test.wait_s_by_period_s)
    return next((wait_s for longest_s, wait_s in table if period_s <= longest_s), table[-1][1])


def watch_line_tests(site: Site, since: datetime, now: datetime) -> None:
    """Begin to expect the tests of every transmitter, the first as if one had come at `since`."""
    schedule = schedule_of(site)
    if schedule is None:
        LineTestWatch.objects.filter(site=site).delete()
        return
    for transmitter_id in _supervised(site):
        _expect(site, transmitter_id, schedule, since, now)


def sheet_changed(site: Site, columns: Collection[str], now: datetime) -> None:
    """A change of the sheet took effect: line tests begin anew, other hours are watched (S22.1)."""
    if {"test_period_s", "test_wait_s", "test_times"} & set(columns):
        watch_line_tests(site, now, now)
    if "hours" in columns:
        hours.watch_hours(site, now)


def watch_missing(site: Site, now: datetime) -> None:
    """Begin with the transmitters that nothing is expected of yet; the others go on as they are."""
    schedule = schedule_of(site)
    if schedule is None:
        LineTestWatch.objects.filter(site=site).delete()
        return
    known = set(LineTestWatch.objects.filter(site=site).values_list("transmitter_id", flat=True))
    wanted = _supervised(site)
    LineTestWatch.objects.filter(transmitter_id__in=known - set(wanted)).delete()
    for transmitter_id in wanted:
        if transmitter_id not in known:
            _expect(site, transmitter_id, schedule, now, now)


def _supervised(site: Site) -> list[int]:
    """A connection each: one transmitter's test says nothing of another's line."""
    rows = Transmitter.objects.filter(site=site, active=True, supervised=True).order_by("pk")
    return list(rows.values_list("pk", flat=True))


def _expect(
    site: Site, transmitter_id: int, schedule: TestSchedule, since: datetime, now: datetime
) -> None:
    expected = schedule.after_test(since)
    LineTestWatch.objects.update_or_create(
        transmitter_id=transmitter_id,
        defaults={
            "site": site,
            "expected_at": expected,
            "missed": 0,
            "last_test_at": None,
            "unsupervised_since": None,
        },
    )
    _schedule_test(site, transmitter_id, schedule.missed_at(expected), now)


def _schedule_test(site: Site, transmitter_id: int, due: datetime, now: datetime) -> None:
    payload = {"site": site.pk, "transmitter": transmitter_id}
    agenda.schedule(TEST_DUE, f"transmitter:{transmitter_id}", due, now, payload=payload)


def test_received(site: Site, transmitter_id: int | None, at: datetime, now: datetime) -> None:
    """A test message: the next one is expected after it; a return is told (S10.3).

    transmitter_id: whose test it is; None where the site has one alone.
    """
    schedule = schedule_of(site)
    if schedule is None:
        return
    if transmitter_id is None:
        alone = LineTestWatch.objects.filter(site=site).values_list("transmitter_id", flat=True)
        if len(alone) != 1:
            return
        transmitter_id = alone[0]
    expected = schedule.after_test(at)
    with connection.cursor() as cursor:
        cursor.execute(_RECEIVED, {"transmitter": transmitter_id, "expected": expected, "at": at})
        row = cursor.fetchone()
    if row is None:
        return
    _schedule_test(site, transmitter_id, schedule.missed_at(expected), now)
    if row[0]:
        store_synthetic(
            site_id=site.pk,
            at=now,
            code="line_test.returned",
            role="restore",
            signal_type="restore",
            restores_type="line_test",
            found={"count": row[0]},
        )


test_received.__test__ = False  # type: ignore[attr-defined]  # pytest: this is no test


def test_missed(site: Site, transmitter_id: int, terms: Terms, now: datetime) -> None:
    """The expected test message did not come in time: count it, expect the next (S10.3)."""
    watch = LineTestWatch.objects.select_for_update().filter(transmitter_id=transmitter_id).first()
    schedule = schedule_of(site, terms)
    if watch is None:
        return
    if schedule is None or transmitter_id not in _supervised(site):
        watch.delete()  # taken out since it was put on the agenda
        return
    watch.missed += 1
    watch.expected_at = schedule.after_miss(watch.expected_at)
    if watch.missed >= terms.line_test.handled and watch.unsupervised_since is None:
        watch.unsupervised_since = now
    watch.save(update_fields=["missed", "expected_at", "unsupervised_since"])
    _schedule_test(site, transmitter_id, schedule.missed_at(watch.expected_at), now)
    account = Transmitter.objects.values_list("account", flat=True).get(pk=transmitter_id)
    reporting.note(site, ReportLine.Kind.LINE_TEST, account, now)
    if watch.missed > terms.line_test.handled:
        # the third was handled, the fourth is not: kept in the journal, told in the daily report
        journal.write(
            "line_test.unwatched",
            now,
            provider_id=site.provider_id,
            site_id=site.pk,
            clause="S10.3",
            data={"count": watch.missed, "account": account},
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


def instructed(site: Site, note: str, now: datetime, actor: str) -> bool:
    """A written instruction is a reaction: its line tests are handled again (S10.3).

    The count begins anew; what is expected next stays. False when none was missed.
    """
    rows = LineTestWatch.objects.filter(site=site, missed__gt=0)
    if not rows.update(missed=0, unsupervised_since=None):
        return False
    journal.write(
        "line_test.instructed",
        now,
        provider_id=site.provider_id,
        site_id=site.pk,
        clause="S10.3",
        reason=note,
        actor=actor,
    )
    return True


def told_undefined(site: Site, code: str, now: datetime) -> None:
    """The installer was told of an unknown code, once (S10.5)."""
    UndefinedCode.objects.get_or_create(site=site, code=code, defaults={"told_at": now})


def list_undefined(site: Site, code: str, now: datetime) -> None:
    """An unknown code came: listed in the daily report (S10.5)."""
    reporting.note(site, ReportLine.Kind.UNDEFINED, code, now)


def handle_undefined(
    site: Site, code: str, now: datetime, *, note: str = "", actor: str = journal.SYSTEM
) -> None:
    """A written instruction: an unknown code is to be handled after all (S10.5)."""
    UndefinedCode.objects.update_or_create(
        site=site,
        code=code,
        defaults={"handle": True},
        create_defaults={"told_at": now, "handle": True},
    )
    _instructed_undefined(site, code, "handle", note, now, actor)


def hold_undefined(site: Site, code: str, now: datetime, *, note: str, actor: str) -> None:
    """A written instruction: it is held again, as any unknown code that was told of (S10.5)."""
    UndefinedCode.objects.filter(site=site, code=code).update(handle=False)
    _instructed_undefined(site, code, "hold", note, now, actor)


def _instructed_undefined(
    site: Site, code: str, what: str, note: str, now: datetime, actor: str
) -> None:
    journal.write(
        "undefined.instructed",
        now,
        provider_id=site.provider_id,
        site_id=site.pk,
        clause="S10.5",
        reason=note,
        actor=actor,
        data={"code": code, "instruction": what},
    )
