"""Where a value of the terms stands: "texting.wait_s", "plans.{plan}.contacts".

Why: whoever asks on what a decision rests is shown the key and the value, not a description of
them. A place may name what differs from site to site in braces; "treatment" is the treatment of the
incident's type, "procedure.again.after_s" a value of the step that does "again". Invariant: a place
that `fault_of` accepts is found in every terms file, or is left out where the file has no such
table; it is never guessed.
"""

from __future__ import annotations

import types
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

from meldkamer.terms.model import Procedure, Step, Terms

BRACES = ("{plan}", "{formula}", "{type}")


@dataclass(frozen=True, slots=True)
class At:
    """What the braces stand for: a site's plan and formula ("" for none), an incident's type.

    `procedure` is the one that the incident was opened with, None outside one.
    """

    plan: str = ""
    formula: str = ""
    type: str = ""
    procedure: Procedure | None = None


@dataclass(frozen=True, slots=True)
class Value:
    """A value with the key under which a terms file has it.

    `scope` and `version` are set when it is a procedure's own: "provider" or "site", and which.
    """

    key: str
    value: object
    scope: str = ""
    version: int = 0


def values(places: Iterable[str], terms: Terms, at: At) -> list[Value]:
    """The value at each place; one that these terms have no table for is left out."""
    return [value for place in places if (value := _value(place, terms, at)) is not None]


def _value(place: str, terms: Terms, at: At) -> Value | None:
    if place == "treatment":
        return _treatment(terms, at)
    if place.startswith("procedure."):
        return _of_procedure(place, terms, at)
    key = place
    for brace, word in zip(BRACES, (at.plan, at.formula, at.type), strict=True):
        if brace == "{formula}" and not word and key.startswith("plans."):
            word = ""  # what a plan without formulas includes stands under ""
        elif brace in key and not word:
            return None
        key = key.replace(brace, word)
    found = _find(terms, key)
    return None if found is _NOWHERE else Value(key.rstrip("."), found)


_NOWHERE = object()


def _find(terms: Terms, key: str) -> object:
    found: Any = terms
    for part in key.split("."):
        found = found.get(part, _NOWHERE) if isinstance(found, dict) else getattr(found, part)
        if found is _NOWHERE:
            return found
    return found


def _treatment(terms: Terms, at: At) -> Value | None:
    if not at.type or not at.plan:
        return None
    table = f"formulas.{at.formula}" if at.formula else f"plans.{at.plan}"
    found = _find(terms, f"{table}.treatment")
    if not isinstance(found, dict) or at.type not in found:
        return None
    return Value(f"{table}.treatment.{at.type}", found[at.type])


def _of_procedure(place: str, terms: Terms, at: At) -> Value | None:
    procedure = at.procedure or _standard(terms, at.type)
    if procedure is None:
        return None
    _, do, name = place.split(".")
    step = next((step for step in procedure.steps if step.do == do), None)
    if step is None:
        return None
    key = f"procedures.{procedure.name}.steps.{step.id}.{name}"
    return Value(key, getattr(step, name), procedure.scope, procedure.version)


def _standard(terms: Terms, incident_type: str) -> Procedure | None:
    return terms.procedure(incident_type) if incident_type else None


def fault_of(place: str) -> str:
    """Why no terms file can have such a place; "" when the model has it."""
    if place == "treatment":
        return ""
    if place.startswith("procedure."):
        return _fault_of_step(place)
    found: Any = Terms
    for part in place.split("."):
        if get_origin(found) is dict:
            found = get_args(found)[1]
            continue
        hints = get_type_hints(found) if _is_table(found) else {}
        if part not in hints:
            return f"{place}: no {part!r}; there are: {', '.join(hints) or 'no keys'}"
        found = _plain(hints[part])
    return ""


def _fault_of_step(place: str) -> str:
    parts = place.split(".")
    hints = get_type_hints(Step)
    if len(parts) != 3:
        return f"{place}: expected procedure.<what the step does>.<key of the step>"
    does = get_args(hints["do"])
    if parts[1] not in does:
        return f"{place}: no step does {parts[1]!r}; there are: {', '.join(does)}"
    return "" if parts[2] in hints else f"{place}: a step has no key {parts[2]!r}"


def _is_table(found: Any) -> bool:
    return isinstance(found, type) and issubclass(found, msgspec.Struct)


def _plain(hint: Any) -> Any:
    """Without "or None"."""
    if get_origin(hint) in (Union, types.UnionType):
        return next(one for one in get_args(hint) if one is not type(None))
    return hint
