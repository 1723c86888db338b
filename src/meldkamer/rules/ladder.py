"""The SMS ladder (section 4): who is texted next, and what a reply does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from meldkamer.rules.acts import Act, Enqueue, LadderWait, Text
from meldkamer.rules.facts import IncidentFacts, SiteFacts
from meldkamer.terms.model import Terms

TEXTED_TYPES = ("battery", "power", "line_test")


def start(site: SiteFacts, now: datetime) -> list[Act]:
    """The first contact that may be texted, else an operator at once (S7.1, S7.6)."""
    if not site.textable:
        return [Enqueue("S7.6", "nobody may be texted")]
    return _text(site.textable[0].key, 1, site.terms, "S7.1", now)


def _text(key: str, round_: int, terms: Terms, clause: str, now: datetime) -> list[Act]:
    until = now + timedelta(seconds=terms.texting.wait_s)
    return [Text(key, "ladder", clause, round_), LadderWait(until)]


def climb(
    incident: IncidentFacts, treatment: str, now: datetime, *, carried: bool = True
) -> list[Act]:
    """No "ok" in time: the next contact, the next round, then an operator (S7.2, S7.5, S16.1).

    carried: whether texts leave the house at all; when none does nobody is waited for (M12.2).
    """
    texting = incident.terms.texting
    if not carried:
        return [Enqueue("M12.2", "no carrier takes texts")]
    texts = incident.case.texts
    round_ = max((text.round for text in texts), default=1)
    told = {text.to for text in texts if text.round == round_}
    for contact in incident.site.textable:
        if contact.key not in told:
            return _text(contact.key, round_, incident.terms, "S7.2", now)
    operator_next = treatment == "ladder+operator"
    rounds = texting.rounds_before_operator if operator_next else texting.rounds
    if round_ < rounds and incident.site.textable:
        first = incident.site.textable[0].key
        return _text(first, round_ + 1, incident.terms, "S7.5", now)
    return [Enqueue("S16.1" if operator_next else "S7.5", "nobody confirmed")]


@dataclass(frozen=True, slots=True)
class Texted:
    """An incident of which a number was texted, with its last text to it."""

    incident: int
    type: str
    text_at: datetime
    closed_at: datetime | None
    site: int
    contact_key: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a reply does: the incidents it answers, or the closed one it reopens by a new one."""

    ok: bool
    answered: tuple[Texted, ...] = ()
    late_for: Texted | None = None
    clause: str = "S7.10"


def is_ok(text: str) -> bool:
    """S7.3: "ok" in any case, surrounding blanks ignored."""
    return text.strip().lower() == "ok"


def answer(texted: Sequence[Texted], text: str, terms: Terms, now: datetime) -> Answer:
    """Which incidents a reply from one number answers (S7.7–S7.9).

    `texted`: every incident of which this number was texted, open or closed.
    """
    ok = is_ok(text)
    open_ones = sorted(
        (t for t in texted if t.closed_at is None), key=lambda t: (t.text_at, t.incident)
    )
    if open_ones:
        gap = timedelta(seconds=terms.texting.reply_gap_s)
        earlier = [t for t in open_ones[:-1] if t.text_at <= now - gap]
        answered = sorted((*earlier, open_ones[-1]), key=lambda t: t.incident)
        return Answer(ok, tuple(answered), clause="S7.3" if ok else "S7.4")
    late = timedelta(seconds=terms.texting.late_reply_s)
    closed = sorted(
        (t for t in texted if t.closed_at is not None and now <= t.closed_at + late),
        key=lambda t: (t.text_at, t.incident),
    )
    closed = [t for t in closed if t.type in TEXTED_TYPES]
    if closed:
        return Answer(ok, late_for=closed[-1], clause="S7.7" if ok else "S7.8")
    return Answer(ok)
