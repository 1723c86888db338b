"""What differs between two versions of a procedure: added, removed, moved, changed field by field.

Steps are known again by their id. As few steps as possible count as moved: those outside the
longest run that kept its order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from meldkamer.terms.model import Procedure, Step

Kind = Literal["added", "removed", "moved", "changed", "exhausted"]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field, old and new as they stand in a file."""

    name: str
    old: object
    new: object


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference. places: of the step from 1, old and new; 0 where it is not."""

    kind: Kind
    step: Step | None
    old_place: int = 0
    new_place: int = 0
    fields: tuple[FieldChange, ...] = ()

    def __str__(self) -> str:
        if self.step is None:
            (change,) = self.fields
            return f"list exhausted: {change.old} → {change.new}"
        name = describe(self.step)
        if self.kind == "added":
            return f"added, place {self.new_place}: {name} ({self.step.clause})"
        if self.kind == "removed":
            return f"removed, place {self.old_place}: {name} ({self.step.clause})"
        if self.kind == "moved":
            return f"moved, place {self.old_place} → {self.new_place}: {name}"
        told = ", ".join(f"{c.name} {_word(c.old)} → {_word(c.new)}" for c in self.fields)
        return f"changed, place {self.new_place}: {name}: {told}"


def differences(old: Procedure, new: Procedure) -> list[Difference]:
    """Everything that differs, in the order of the new procedure, what was removed first."""
    was, becomes = _places(old), _places(new)
    kept = _kept_order([i for i in was if i in becomes], [i for i in becomes if i in was])
    found = [
        Difference("removed", old.steps[place - 1], old_place=place)
        for name, place in was.items()
        if name not in becomes
    ]
    for name, place in becomes.items():
        step = new.steps[place - 1]
        if name not in was:
            found.append(Difference("added", step, new_place=place))
            continue
        if name not in kept:
            found.append(Difference("moved", step, was[name], place))
        changes = _fields(old.steps[was[name] - 1], step)
        if changes:
            found.append(Difference("changed", step, was[name], place, changes))
    if old.exhausted != new.exhausted:
        change = FieldChange("exhausted", old.exhausted, new.exhausted)
        found.append(Difference("exhausted", None, fields=(change,)))
    return found


def describe(step: Step) -> str:
    """A step in a few English words."""
    whom = step.name or step.who.replace("_", " ")
    return {
        "call": f"call {whom}",
        "request": f"ask for {step.service}",
        "inform": "inform the others",
        "patrol": "send a patrol",
        "again": f"call once more after {step.after_s} s",
        "tell": "tell everybody",
    }[step.do]


def _word(value: object) -> str:
    return "nothing" if value in ("", None) else str(value)


def _places(procedure: Procedure) -> dict[str, int]:
    return {step.id: place for place, step in enumerate(procedure.steps, start=1)}


def _fields(old: Step, new: Step) -> tuple[FieldChange, ...]:
    return tuple(
        FieldChange(field.name, getattr(old, field.name), getattr(new, field.name))
        for field in msgspec.structs.fields(Step)
        if getattr(old, field.name) != getattr(new, field.name)
    )


def _kept_order(old: Sequence[str], new: Sequence[str]) -> set[str]:
    """The longest run of names that stands in both in the same order."""
    longest: dict[tuple[int, int], list[str]] = {}
    for i in range(len(old), -1, -1):
        for j in range(len(new), -1, -1):
            if i == len(old) or j == len(new):
                longest[i, j] = []
            elif old[i] == new[j]:
                longest[i, j] = [old[i], *longest[i + 1, j + 1]]
            else:
                longest[i, j] = max(longest[i + 1, j], longest[i, j + 1], key=len)
    return set(longest[0, 0])
