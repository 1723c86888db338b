"""Decisions about several sites, written together: few statements for many signals.

Why: in a storm the round trips cost more than the decisions. Inside `gathered()` incidents,
verdicts, entries and agenda rows are kept in the order in which they were decided and are written
at its end, in the caller's transaction; outside of it each is written at once. Never: commit, or
keep anything beyond the block. Invariant: whoever reads from the database what was decided in the
block calls `put_down()` before; the sites whose incidents are kept here are locked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from json import dumps

from django.db import connection
from django.db.models import Model

from meldkamer.agenda import commands as agenda
from meldkamer.incidents.models import Incident, Verdict
from meldkamer.journal import commands as journal

_NUMBERS = (
    "SELECT nextval(pg_get_serial_sequence('incidents_incident', 'id')) FROM generate_series(1, %s)"
)
_INCIDENT = [field.attname for field in Incident._meta.concrete_fields]
_COLUMNS = {field.name: field.attname for field in Incident._meta.concrete_fields}
_VERDICT = [field.attname for field in Verdict._meta.concrete_fields]
# as one text, which costs the driver least
_INSERT = """
INSERT INTO {table} ({columns})
SELECT {columns} FROM json_populate_recordset(NULL::{table}, %s::json)
"""
_CHANGE = """
UPDATE incidents_incident AS kept SET {sets}
FROM json_populate_recordset(NULL::incidents_incident, %s::json) AS new WHERE kept.id = new.id
"""
_INTO_INCIDENTS = _INSERT.format(table="incidents_incident", columns=", ".join(_INCIDENT))
_INTO_VERDICTS = _INSERT.format(table="incidents_verdict", columns=", ".join(_VERDICT))


@dataclass(slots=True)
class _Gathered:
    numbers: list[int] = field(default_factory=list)
    opened: dict[int, Incident] = field(default_factory=dict)
    changed: dict[int, tuple[Incident, set[str]]] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)


_open: ContextVar[_Gathered | None] = ContextVar("incidents gathered", default=None)


@contextmanager
def gathered() -> Iterator[None]:
    """Write what is decided in this block at its end; nothing when it fails."""
    token = _open.set(_Gathered())
    try:
        with journal.gathered(), agenda.gathered():
            yield
            put_down()
    finally:
        _open.reset(token)


def put_down() -> None:
    """Write what was gathered so far, so that it can be read; nothing outside of `gathered()`."""
    mine = _open.get()
    if mine is None:
        return
    opened, mine.opened = list(mine.opened.values()), {}
    changed, mine.changed = list(mine.changed.values()), {}
    verdicts, mine.verdicts = mine.verdicts, []
    if opened:
        _insert(_INTO_INCIDENTS, _INCIDENT, opened)
    for fields in {tuple(sorted(names)) for _, names in changed}:
        same = [incident for incident, names in changed if tuple(sorted(names)) == fields]
        _update(same, fields)
    if verdicts:
        _insert(_INTO_VERDICTS, _VERDICT, verdicts)
    journal.put_down()
    agenda.put_down()


def _insert(statement: str, columns: list[str], rows: Sequence[Model]) -> None:
    values = [{name: getattr(row, name) for name in columns} for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(statement, [dumps(values, default=str)])
    for row in rows:
        row._state.adding = False


def _update(rows: Sequence[Incident], fields: Sequence[str]) -> None:
    columns = [_COLUMNS[name] for name in fields]
    values = [{name: getattr(row, name) for name in ("id", *columns)} for row in rows]
    sets = ", ".join(f"{name} = new.{name}" for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(_CHANGE.format(sets=sets), [dumps(values, default=str)])


def expect(count: int) -> None:
    """So many incidents are about to be opened: their numbers are asked for at once."""
    mine = _open.get()
    if mine is not None and count > len(mine.numbers):
        mine.numbers += _numbers(count - len(mine.numbers))


def _numbers(count: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_NUMBERS, [count])
        return [row[0] for row in cursor.fetchall()]


def opened(incident: Incident) -> None:
    """A new incident; it has its number at once."""
    mine = _open.get()
    if mine is None:
        incident.save(force_insert=True)
        return
    incident.pk = mine.numbers.pop(0) if mine.numbers else _numbers(1)[0]
    mine.opened[incident.pk] = incident


def changed(incident: Incident, fields: tuple[str, ...]) -> None:
    """Fields of an incident have new values."""
    mine = _open.get()
    if mine is None:
        incident.save(update_fields=fields)
        return
    if (new := mine.opened.get(incident.pk)) is not None:
        _copy(incident, new, fields)
        return
    kept, names = mine.changed.setdefault(incident.pk, (incident, set()))
    _copy(incident, kept, fields)
    names.update(fields)


def _copy(incident: Incident, kept: Incident, fields: tuple[str, ...]) -> None:
    """The same incident may have been read twice: what is written is the last word of both."""
    if incident is not kept:
        for name in fields:
            setattr(kept, name, getattr(incident, name))


def given(verdict: Verdict) -> None:
    """The one verdict of a signal."""
    mine = _open.get()
    if mine is None:
        verdict.save(force_insert=True)
    else:
        mine.verdicts.append(verdict)
