"""A thing on the agenda happens, once, after any fault (architecture, the agenda)."""

from __future__ import annotations

import ast
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest
from django.db import connection, transaction

import meldkamer
from meldkamer.agenda import commands as agenda
from meldkamer.agenda.models import AgendaRow
from meldkamer.engine.acts import ACTS, LOCKS
from meldkamer.journal import commands as journal
from meldkamer.journal.models import Entry
from tests.incidents.together import together
from tests.incidents.town import NOW, Town, at

KIND = "test.thing"


def write(row: AgendaRow, now: datetime) -> None:
    journal.write("thing.done", now, data={"row": row.pk})


def scheduled(subject: str = "a", after_s: float = 0, rank: int = 1) -> AgendaRow:
    agenda.schedule(KIND, subject, at(after_s), NOW, rank=rank, payload={"n": 1})
    return AgendaRow.objects.get(kind=KIND, subject=subject, done_at=None)


@pytest.mark.clause("M12.1")
@pytest.mark.django_db(transaction=True)
def test_two_workers_act_on_a_row_once(committed_town: Town) -> None:
    for number in range(5):
        row = scheduled(str(number))
        results = together(*[partial(agenda.act_on, row.pk, {KIND: write}, NOW)] * 2)
        assert sorted(results) == [False, True]
        assert Entry.objects.filter(data={"row": row.pk}).count() == 1
        assert agenda.act_on(row.pk, {KIND: write}, NOW) is False


@pytest.mark.clause("M12.1")
def test_an_act_that_fails_is_rolled_back_whole_put_off_and_stays_visible(town: Town) -> None:
    row = scheduled()

    def fail(row: AgendaRow, now: datetime) -> None:
        write(row, now)
        agenda.schedule(KIND, "another", now, now)
        raise ValueError("no such thing")

    waits = []
    now = NOW
    for attempt in range(1, 13):
        with pytest.raises(ValueError, match="no such"):
            agenda.act_on(row.pk, {KIND: fail}, now)
        row.refresh_from_db()
        assert (row.attempts, row.done_at) == (attempt, None)
        assert "ValueError: no such thing" in row.last_fault
        waits.append((row.due - now).total_seconds())
        assert agenda.act_on(row.pk, {KIND: write}, now) is False  # it is not due any more
        now = row.due
    assert waits[0] == 4
    assert waits == sorted(waits)
    assert max(waits) == 300  # tried for ever, at least every five minutes
    assert not AgendaRow.objects.filter(subject="another").exists()
    assert not Entry.objects.filter(what="thing.done").exists()
    assert agenda.act_on(row.pk, {KIND: write}, now)
    assert Entry.objects.filter(what="thing.done").count() == 1


def test_a_kind_that_nobody_can_act_on_stays_visible(town: Town) -> None:
    row = scheduled()
    with pytest.raises(KeyError):
        agenda.act_on(row.pk, {}, NOW)
    row.refresh_from_db()
    assert (row.done_at, row.attempts) == (None, 1)


def test_scheduling_again_moves_the_row_and_forgets_its_fault(town: Town) -> None:
    row = scheduled()
    AgendaRow.objects.filter(pk=row.pk).update(attempts=3, last_fault="x")
    moved = scheduled(after_s=60)
    assert (moved.pk, moved.due, moved.attempts, moved.last_fault) == (row.pk, at(60), 0, "")
    assert agenda.act_on(row.pk, {KIND: write}, NOW) is False


def test_what_is_struck_does_not_happen(town: Town) -> None:
    row = scheduled()
    agenda.strike(KIND, "a", NOW)
    agenda.strike(KIND, "a", NOW)
    assert agenda.act_on(row.pk, {KIND: write}, NOW) is False


def test_an_act_may_put_the_same_thing_on_the_agenda_again(town: Town) -> None:
    row = scheduled()

    def again(row: AgendaRow, now: datetime) -> None:
        agenda.schedule(row.kind, row.subject, at(60), now)

    assert agenda.act_on(row.pk, {KIND: again}, NOW)
    following = AgendaRow.objects.get(kind=KIND, done_at=None)
    assert following.pk != row.pk
    assert following.due == at(60)


def test_states_that_end_come_first_then_the_earliest_then_the_oldest(town: Town) -> None:
    late, early = scheduled("late", 2), scheduled("early", 1)
    same, end = scheduled("same", 2), scheduled("end", 2, rank=0)
    assert agenda.due_rows(at(2)) == [end.pk, early.pk, late.pk, same.pk]
    assert agenda.due_rows(at(1)) == [early.pk]
    assert agenda.next_due() == at(1)


@pytest.mark.django_db(transaction=True)
def test_a_desk_that_moves_the_row_and_a_worker_that_acts_on_it_do_not_lock_each_other_out(
    committed_town: Town,
) -> None:
    """The desk holds the site and wants the row; the act must not hold the row and want the site.

    Red twin: without the table of locks the two wait for each other in a circle.
    """
    site_id = committed_town.site.pk

    def lock(row: AgendaRow) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM sites_site WHERE id = %s FOR NO KEY UPDATE", [site_id])

    def act(row: AgendaRow, now: datetime) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.3)")
        lock(row)

    def desk() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            lock(AgendaRow())
            cursor.execute("SELECT pg_sleep(0.15)")
            agenda.schedule(KIND, "a", at(60), NOW)

    for locks, words in (({KIND: lock}, ""), ({}, "deadlock")):
        row = scheduled()
        results = together(partial(agenda.act_on, row.pk, {KIND: act}, NOW, locks), desk)
        found = " ".join(str(result) for result in results if isinstance(result, Exception))
        assert words in found
        assert bool(found) is bool(words)


def test_whatever_is_scheduled_anywhere_has_an_act() -> None:
    """Every name given to `agenda.schedule` as its kind is a key of the table of acts."""
    root = Path(meldkamer.__file__).parent
    names = set()
    for file in root.rglob("*.py"):
        for call in ast.walk(ast.parse(file.read_text("utf-8"))):
            if (
                isinstance(call, ast.Call)
                and isinstance(call.func, ast.Attribute)
                and call.func.attr in ("schedule", "put_aside")
                and isinstance(call.func.value, ast.Name)
                and call.func.value.id == "agenda"
            ):
                names.add((file.relative_to(root).as_posix(), ast.unparse(call.args[0])))
    assert len(names) > 8
    variables = {"kind", "row.kind"}
    for file_name, name in names:
        module = __import__(
            "meldkamer." + file_name.removesuffix(".py").replace("/", "."), fromlist=["*"]
        )
        if name not in variables:
            value = eval(name, vars(module))
            assert value in ACTS, f"{file_name} schedules {value}, which nobody can act on"
    assert set(LOCKS) <= set(ACTS)
    alone = {kind for kind in ACTS if kind not in LOCKS}
    # nobody who holds a site moves these rows
    assert alone == {
        "house.audit",
        "journal.purge",
        "journal.seal",
        "report.installer",
        "receipt.again",
        "reports.daily",
        "reply.again",
        "sms.pieces",
        "signal.again",
    }
