"""The table of everything that can stand on the agenda: kind → act, and what it locks first.

A kind that is not here cannot be acted on, so a test holds this table against every `schedule`.
An act on a site's things locks the site before its row (see `agenda.commands`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Manager

from meldkamer.agenda import commands as agenda
from meldkamer.agenda.commands import Act, Lock
from meldkamer.agenda.models import AgendaRow
from meldkamer.contracts import commands as contracts
from meldkamer.contracts import interruptions, tasks
from meldkamer.contracts.models import TestMode
from meldkamer.engine.audit.recurring import AUDIT, PURGE, SEAL
from meldkamer.engine.audit.run import audit_slice
from meldkamer.incidents import forgetting, notices
from meldkamer.incidents.deciding import carry_out, due, floods, judging, outages
from meldkamer.incidents.deciding.facts import site_facts, terms_of
from meldkamer.incidents.locking import lock_site
from meldkamer.incidents.messages import another_way, receipts, texting
from meldkamer.incidents.operating import dispatching
from meldkamer.incidents.service import customer_calls, needless, testing
from meldkamer.incidents.telephone import answering, desk_calls
from meldkamer.journal.seal import PURGE_MOST, purge_first, seal_within
from meldkamer.notify import inbox, outbox
from meldkamer.notify.models import Letter
from meldkamer.notify.post import commands as letters
from meldkamer.notify.sms import arrivals
from meldkamer.sites import sheet_changes
from meldkamer.sites.models import SheetChange
from meldkamer.watch import commands as watch
from meldkamer.watch import hours, reporting

_AUDIT_EVERY = timedelta(seconds=30)
_PURGE_EVERY, _PURGE_MORE = timedelta(hours=1), timedelta(seconds=2)
_SEAL_EVERY, _SEAL_S = timedelta(seconds=60), 0.2


def _test_end(row: AgendaRow, now: datetime) -> None:
    testing.end_test(TestMode.objects.get(pk=row.payload["test"]), now)


def _trial_end(row: AgendaRow, now: datetime) -> None:
    contracts.end_trial(lock_site(row.payload["site"]), now)


def _flood_end(row: AgendaRow, now: datetime) -> None:
    site = lock_site(row.payload["site"])
    floods.end(row.payload["interruption"], site, site_facts(site, now), now)


def _review(row: AgendaRow, now: datetime) -> None:
    site = lock_site(row.payload["site"])
    needless.review_due(row.payload["interruption"], terms_of(site), now)


def _task_due(row: AgendaRow, now: datetime) -> None:
    site = lock_site(row.payload["site"])
    customer_calls.overdue(row.payload["task"], terms_of(site), now)


def _force_start(row: AgendaRow, now: datetime) -> None:
    site = lock_site(row.payload["site"])
    clause = "D903.1" if terms_of(site).not_in_force.delay_s else "S4.2"
    contracts.start_force(site, clause, now)


def _line_test_due(row: AgendaRow, now: datetime) -> None:
    site = lock_site(row.payload["site"])
    watch.test_missed(site, row.payload["transmitter"], terms_of(site), now)


def _hours_due(row: AgendaRow, now: datetime) -> None:
    site = lock_site(row.payload["site"])
    hours.hours_due(site, row.payload["area"], row.payload["expected"], agenda.meant(row), now)


def _still_open(row: AgendaRow, now: datetime) -> None:
    site = lock_site(row.payload["site"])
    hours.still_open(site, row.payload["area"], row.payload["told"], agenda.meant(row), now)


def _report(row: AgendaRow, now: datetime) -> None:
    reporting.report(row.payload["provider"], row.payload["installer"], now)


def _resume(row: AgendaRow, now: datetime) -> None:
    outages.resume(row.payload["site"], row.payload["reason"], now)


def _sheet(row: AgendaRow, now: datetime) -> None:
    site_id = SheetChange.objects.values_list("site_id", flat=True).get(pk=row.payload["change"])
    site = lock_site(site_id)
    sheet_changes.due(row, now, site)
    change = SheetChange.objects.get(pk=row.payload["change"])
    if change.state != SheetChange.State.REFUSED:
        watch.sheet_changed(site, change.changes, now)


def _letter_late(row: AgendaRow, now: datetime) -> None:
    """A letter lies there and nobody posted it: the supervisors hear of it, until somebody does."""
    letter = letters.still_here(row.payload["letter"], now)
    if letter is not None:
        text = f"{letter.recipient}: {letter.subject}"
        notices.add("letter", letter.message.clause, text, now, provider_id=letter.provider_id)


def _purge(row: AgendaRow, now: datetime) -> None:
    """What only guards against duplicates, what was done long ago, what the terms say is over.

    With it, once an hour: a provider that came since the start of this worker gets its reports.
    After a storm there is much of it: so many at a time, and the rest soon, between alarms.
    """
    reporting.begin(now)
    connection.ensure_connection()
    forgotten = purge_first(connection.connection, now)
    old = AgendaRow.objects.filter(done_at__lt=now - timedelta(days=30)).values("pk")
    struck, _ = AgendaRow.objects.filter(pk__in=old[:PURGE_MOST]).delete()
    inbox.forget_unknown(now - timedelta(days=1))
    complete = forgetting.forget(now)
    more = max(forgotten, struck) >= PURGE_MOST or not complete
    agenda.schedule(PURGE, "journal", now + (_PURGE_MORE if more else _PURGE_EVERY), now)


def _seal(row: AgendaRow, now: datetime) -> None:
    """Chain what was written since the last seal (M12.3); in slices, so that no alarm waits."""
    connection.ensure_connection()
    complete = seal_within(connection.connection, now, _SEAL_S)
    agenda.schedule(SEAL, "journal", now + _SEAL_EVERY if complete else now, now)


def _audit(row: AgendaRow, now: datetime) -> None:
    """Look whether the house keeps its own rules; the next look is put there before this one."""
    agenda.schedule(AUDIT, row.subject, now + _AUDIT_EVERY, now, rank=row.rank)
    tried = audit_slice(now, row.payload.get("tried", ()))
    if tried is not None:
        payload = {"tried": tried}
        agenda.schedule(AUDIT, row.subject, now, now, rank=row.rank, payload=payload)


def _lock(rows: Manager[Any], number: int) -> None:
    """A row that its own commands lock before its place on the agenda."""
    rows.select_for_update(of=("self",)).filter(pk=number).first()


def _lock_site(row: AgendaRow) -> None:
    lock_site(row.payload["site"])


def _lock_tested(row: AgendaRow) -> None:
    lock_site(TestMode.objects.values_list("site_id", flat=True).get(pk=row.payload["test"]))


def _lock_changed(row: AgendaRow) -> None:
    lock_site(SheetChange.objects.values_list("site_id", flat=True).get(pk=row.payload["change"]))


LOCKS: dict[str, Lock] = {
    outbox.AGAIN: outbox.lock_of,
    letters.LATE: lambda row: _lock(Letter.objects, row.payload["letter"]),
    carry_out.DUE: lambda row: due.lock_site_of(row.payload["incident"]),
    carry_out.APP_DUE: another_way.lock_of,
    dispatching.OFFER_END: _lock_site,
    contracts.END_TEST: _lock_tested,
    contracts.END_TRIAL: _lock_site,
    contracts.START_FORCE: _lock_site,
    floods.END: _lock_site,
    interruptions.REVIEW: _lock_site,
    tasks.DUE: _lock_site,
    watch.TEST_DUE: _lock_site,
    hours.HOURS_DUE: _lock_site,
    hours.STILL_OPEN: _lock_site,
    outages.END: lambda row: outages.lock_provider_of(row.payload["outage"]),
    outages.RECHECK: lambda row: outages.lock_provider_of(row.payload["outage"]),
    outages.RESUME: _lock_site,
    sheet_changes.BEGIN: _lock_changed,
    sheet_changes.END: _lock_changed,
    desk_calls.DUE: _lock_site,
    answering.DUE: answering.lock_call,
}

ACTS: dict[str, Act] = {
    carry_out.DUE: due.incident_due,
    carry_out.APP_DUE: another_way.overdue,
    dispatching.OFFER_END: dispatching.offer_end,
    contracts.END_TEST: _test_end,
    contracts.END_TRIAL: _trial_end,
    contracts.START_FORCE: _force_start,
    floods.END: _flood_end,
    interruptions.REVIEW: _review,
    tasks.DUE: _task_due,
    watch.TEST_DUE: _line_test_due,
    hours.HOURS_DUE: _hours_due,
    hours.STILL_OPEN: _still_open,
    reporting.REPORTS_DUE: lambda row, now: reporting.reports_due(row.payload["provider"], now),
    reporting.REPORT: _report,
    outages.END: lambda row, now: outages.end(row.payload["outage"], now),
    outages.RECHECK: lambda row, now: outages.recheck(row.payload["outage"], now),
    outages.RESUME: _resume,
    sheet_changes.BEGIN: _sheet,
    sheet_changes.END: _sheet,
    judging.AGAIN: lambda row, now: judging.judge_again(row.payload["signal"], now),
    receipts.AGAIN: lambda row, now: receipts.consume_again(row.payload["receipt"], now),
    outbox.AGAIN: outbox.again,
    texting.AGAIN: lambda row, now: texting.consume_again(row.payload["message"], now),
    arrivals.PIECES: arrivals.pieces_due,
    desk_calls.DUE: desk_calls.overdue,
    answering.DUE: answering.overdue,
    letters.LATE: _letter_late,
    PURGE: _purge,
    SEAL: _seal,
    AUDIT: _audit,
}
