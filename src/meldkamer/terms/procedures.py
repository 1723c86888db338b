"""Procedures as somebody wrote them: steps of a story, of the office or of a file, as typed data.

Why: one reader for every door. Never: judge whether a procedure is wise (`rules.soundness`) or
lawful (`law`). Invariant: what it returns has ids, a clause at every step, and a shape that
`structure` finds nothing against.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, get_args

import msgspec

from meldkamer.terms.model import IncidentType, Procedure, Step, Terms

#: the clause of a step that the terms file does not have
OWN = "S14.1"
_UNKNOWN = re.compile(r"unknown field `([^`]+)`")
_TYPES = get_args(IncidentType)


class ProcedureFault(ValueError):
    """Steps that cannot be read: which, what was found, what was expected."""


def base_of(terms: Terms, name: str) -> Procedure | None:
    """The terms file's procedure of that name, or of that type alone; None when there is none."""
    for procedure in terms.procedures:
        if procedure.name == name:
            return procedure
    if name not in _TYPES:
        return None
    return msgspec.structs.replace(terms.procedure(name), name=name, types=(name,))


def names(terms: Terms) -> list[str]:
    """What a version may be called: the terms file's procedures, and types apart."""
    own = [procedure.name for procedure in terms.procedures]
    return [*own, *(kind for kind in _TYPES if kind not in own)]


def read(terms: Terms, name: str, written: Any) -> Procedure:
    """A changed procedure: a list of steps, or a table with `steps` and `exhausted`.

    Types, clause and what is left out come from the terms file. ProcedureFault names step and key.
    """
    base = base_of(terms, name)
    if base is None:
        raise ProcedureFault(f"no procedure {name!r}; expected one of: {', '.join(names(terms))}")
    table = written if isinstance(written, Mapping) else {"steps": written}
    strange = sorted(set(table) - {"steps", "exhausted"})
    if strange or not isinstance(table.get("steps"), Sequence):
        raise ProcedureFault(
            f"found {', '.join(strange) or 'no steps'}; expected a list of steps, or a table with "
            "steps and exhausted"
        )
    exhausted = table.get("exhausted", base.exhausted)
    if exhausted not in ("nobody_reached", "notified"):
        raise ProcedureFault(f"exhausted {exhausted!r}; expected nobody_reached or notified")
    steps = _steps(table["steps"], base)
    changed = msgspec.structs.replace(base, steps=steps, exhausted=exhausted)
    faults = structure(changed)
    if faults:
        raise ProcedureFault("; ".join(faults))
    return changed


def _steps(rows: Sequence[Any], base: Procedure) -> tuple[Step, ...]:
    found: list[Step] = []
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, Mapping):
            raise ProcedureFault(f'step {number}: expected a table like {{ do = "call", … }}')
        filled = dict(row)
        filled.setdefault("id", _id(filled, [step.id for step in found]))
        filled.setdefault("clause", _clause(filled, base))
        try:
            found.append(msgspec.convert(filled, Step))
        except msgspec.ValidationError as fault:
            raise ProcedureFault(f"step {number}: {_plain(str(fault))}") from None
    return tuple(found)


def _id(row: Mapping[str, Any], taken: Collection[str]) -> str:
    """A short name of its own: whom it calls, which service, else what it does."""
    wanted = str(row.get("who") or row.get("service") or row.get("do") or "step")
    number, found = 1, wanted
    while found in taken:
        number += 1
        found = f"{wanted}_{number}"
    return found


def _clause(row: Mapping[str, Any], base: Procedure) -> str:
    """The clause of the same step in the terms file; S14.1 for one that only the sheet has."""
    for step in base.steps:
        if step.do == row.get("do") and (
            step.service == row.get("service") and step.who == row.get("who", "")
        ):
            return step.clause
    if row.get("do") == "call":
        return base.clause
    return next((step.clause for step in base.steps if step.do == row.get("do")), OWN)


def _plain(message: str) -> str:
    unknown = _UNKNOWN.search(message)
    if unknown:
        keys = ", ".join(field.name for field in msgspec.structs.fields(Step))
        return f"no key {unknown[1]}; expected {keys}"
    what, _, where = message.partition(" - at `$")
    return f"{where.strip('.`')}: {what}" if where else what


def structure(procedure: Procedure) -> list[str]:
    """What contradicts itself in the steps; empty when they can be worked."""
    where = f"procedure {procedure.name}"
    faults = []
    ids = [step.id for step in procedure.steps]
    twice = sorted({i for i in ids if ids.count(i) > 1})
    faults += [f"{where}: step {i} stands there twice" for i in twice]
    if not any(step.do == "call" for step in procedure.steps):
        faults.append(f"{where}: nobody is called; expected a step with do = 'call'")
    for step in procedure.steps:
        faults += [f"{where}, step {step.id}: {fault}" for fault in _one(step)]
    return faults


def _one(step: Step) -> list[str]:
    faults = []
    if not step.id or any("\0" in text for text in (step.id, step.name, step.phone, step.clause)):
        faults.append("expected an id, and no NUL characters")
    if (step.do == "request") != (step.service is not None):
        faults.append("a request, and only a request, has a service")
    if step.do == "call" and not step.who:
        faults.append("a call says who")
    if step.do not in ("call", "inform") and step.who:
        faults.append("only a call says who")
    if step.who in ("contact", "number") and not step.name:
        faults.append(f"who = '{step.who}' says the name")
    if step.who == "number" and not step.phone:
        faults.append("who = 'number' says the phone")
    if step.who != "number" and step.phone:
        faults.append("only who = 'number' has a phone")
    if step.when == "in_turn" and step.do != "patrol":
        faults.append("only a patrol goes in_turn")
    if step.after_s < 0:
        faults.append(f"after_s {step.after_s}; expected 0 or more")
    return faults
