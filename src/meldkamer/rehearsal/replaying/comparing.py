"""What differs between two courses of one incident: steps, services, who was called, outcome.

Pure. A course is what a person would tell of it: the words of the timeline with whom, clause and
result, without the moments; how long it took is compared apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from difflib import SequenceMatcher
from typing import Any

from meldkamer.rehearsal.replaying.past import Happened, PastIncident
from meldkamer.rehearsal.replaying.player import Played

#: the lines that make a course; what an operator noted or looked at is none of the procedure's
TOLD = frozenset({
    "incident.opened", "incident.waiting", "incident.verified", "incident.closed", "call.placed",
    "call.result", "identification.failed", "sms.sent", "sms.received", "app.sent", "mail.sent",
    "message.left", "police.requested", "fire.requested", "medical.requested", "police.refused",
    "fire.refused", "medical.refused", "patrol.sent", "patrol.refused", "supervisor.notified",
    "incident.duress",
})  # fmt: skip
SERVICES = ("police.requested", "fire.requested", "medical.requested", "patrol.sent")
#: two closings nearer than this are the same; what a machine needed to judge is no difference
SLACK = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a course; equal when it says the same, whenever it was."""

    what: str
    to: str
    clause: str
    result: str
    at: datetime = field(compare=False)

    def __str__(self) -> str:
        words = (self.what, self.to, self.result, self.clause)
        return " ".join(word for word in words if word)


@dataclass(frozen=True, slots=True)
class Change:
    """A line that the one course has and the other has not: "-" only before, "+" only after."""

    sign: str
    line: Line
    after_s: int

    def as_json(self) -> dict[str, Any]:
        """As `replay --json` prints it."""
        line = self.line
        told = {"sign": self.sign, "after_s": self.after_s, "what": line.what, "to": line.to,
                "clause": line.clause, "result": line.result}  # fmt: skip
        return {key: value for key, value in told.items() if value != ""}


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs between two courses; false when nothing does."""

    changes: tuple[Change, ...]
    outcomes: tuple[str, str]
    services: tuple[tuple[str, ...], tuple[str, ...]]
    seconds: tuple[int, int]

    def __bool__(self) -> bool:
        return bool(self.changes) or self.outcomes[0] != self.outcomes[1] or self.later

    @property
    def later(self) -> bool:
        """Whether only the time to its end differs, or that as well."""
        return abs(self.seconds[0] - self.seconds[1]) > SLACK.total_seconds()


def course(incident: PastIncident) -> list[Line]:
    """The lines of an incident."""
    return [
        Line(e.what, _to(e), e.clause, _result(e), e.at) for e in incident.entries if e.what in TOLD
    ]


def _to(entry: Happened) -> str:
    # told by M12.2 while it stood in the queue: no step of the procedure
    return entry.to


def _result(entry: Happened) -> str:
    data = entry.data
    if entry.what == "incident.waiting":
        until = datetime.fromisoformat(str(data.get("until")))
        return f"{data.get('for')} {round((until - entry.at).total_seconds())} s"
    if entry.what == "call.result":
        said = data.get("says")
        return f"{data.get('result')}, {said}" if said else str(data.get("result"))
    if entry.what == "sms.sent":
        return str(data.get("purpose", ""))
    for name in ("outcome", "by", "type", "subject"):
        if entry.what != "sms.received" and data.get(name):
            return str(data[name])
    return entry.reason if entry.what.endswith(".refused") else ""


def compare(before: PastIncident, after: PastIncident) -> Difference:
    """What differs from the one course to the other."""
    old, new = _procedural(course(before)), _procedural(course(after))
    changes: list[Change] = []
    for what, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what != "equal":
            changes += [_change("-", line, before) for line in old[i1:i2]]
            changes += [_change("+", line, after) for line in new[j1:j2]]
    return Difference(
        tuple(changes),
        (before.outcome, after.outcome),
        (_services(old), _services(new)),
        (_seconds(before), _seconds(after)),
    )


def _procedural(lines: Iterable[Line]) -> list[Line]:
    """Without what stands in no procedure: an incident that nobody took in time (M12.2)."""
    return [line for line in lines if line.clause != "M12.2"]


def _change(sign: str, line: Line, incident: PastIncident) -> Change:
    return Change(sign, line, round((line.at - incident.opened_at).total_seconds()))


def _services(lines: Sequence[Line]) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(line.what.partition(".")[0] for line in lines if line.what in SERVICES)
    )


def _seconds(incident: PastIncident) -> int:
    return round((incident.closed_at - incident.opened_at).total_seconds())


@dataclass(frozen=True, slots=True)
class Told:
    """One incident of the past: how faithfully it was played, and what would differ."""

    site: str
    past: PastIncident | None
    faithful: Difference | None
    changed: Difference | None
    old: Played | None
    new: Played | None
    reasons: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether it would have gone differently."""
        return self.changed is None or bool(self.changed)

    @property
    def is_faithful(self) -> bool:
        """Whether the play under the old terms is what the journal has."""
        return self.faithful is not None and not self.faithful


def tell(
    site: str,
    incidents: Sequence[PastIncident],
    old: Sequence[Played],
    new: Sequence[Played],
    notes: Sequence[str],
) -> list[Told]:
    """Each recorded incident beside its two plays, and those that only one of the plays has."""
    found = []
    for past in incidents:
        one, other = _of(past, old), _of(past, new)
        found.append(
            Told(
                site, past,
                compare(past, one.now) if one else None,
                compare(one.now, other.now) if one and other else None,
                one, other, tuple(notes),
            )
        )  # fmt: skip
    found += [Told(site, None, None, None, None, p, ()) for p in new if p.then is None]
    return found


def _of(past: PastIncident, plays: Sequence[Played]) -> Played | None:
    return next((play for play in plays if play.then is not None and play.then.id == past.id), None)
