"""The SMS ladder (section 4): who is texted next, and what a reply does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from meldkamer.rules.acts import Act, Announce, Enqueue, LadderWait, Text
from meldkamer.rules.facts import ContactFacts, IncidentFacts, SiteFacts
from meldkamer.terms.model import Terms

TEXTED_TYPES = ("battery", "power", "line_test")


def way(contact: ContactFacts, terms: Terms, *, texts: bool = True, calls: bool = True) -> str:
    """How a contact is asked in the rounds: "sms", "voice" (an announced call), or "" for not.

    S7.6: who may not be texted is skipped, or called where the terms say so. texts, calls: whether
    they leave the house at all now.
    """
    announcing = terms.announcing
    if contact.textable and texts:
        return "sms"
    wanted = announcing.no_carrier if contact.textable else announcing.untextable
    return "voice" if wanted and calls and contact.phone else ""


def usable(site: SiteFacts, *, texts: bool = True, calls: bool = True) -> dict[str, str]:
    """Who is asked in a round, in order: key → way."""
    ways = {c.key: way(c, site.terms, texts=texts, calls=calls) for c in site.contacts}
    return {key: by for key, by in ways.items() if by}


def start(site: SiteFacts, now: datetime) -> list[Act]:
    """The first contact that may be asked so, else an operator at once (S7.1, S7.6)."""
    for key, by in usable(site).items():
        return _rung(key, by, 1, site.terms, "S7.1", now)
    return [Enqueue("S7.6", "nobody may be texted")]


def _rung(key: str, by: str, round_: int, terms: Terms, clause: str, now: datetime) -> list[Act]:
    wait = LadderWait(now + wait_for(by, terms))
    if by == "voice":
        return [Announce(key, clause, round_), wait]
    return [Text(key, "ladder", clause, round_), wait]


def wait_for(by: str, terms: Terms) -> timedelta:
    """How long an answer is waited for, from the hand-over on (S7.2)."""
    return timedelta(seconds=terms.announcing.wait_s if by == "voice" else terms.texting.wait_s)


def climb(
    incident: IncidentFacts,
    treatment: str,
    now: datetime,
    *,
    carried: bool = True,
    calls: bool = True,
) -> list[Act]:
    """No "ok" in time: the next contact, the next round, then an operator (S7.2, S7.5, S16.1).

    carried: whether texts leave the house at all; when none does nobody is waited for (M12.2),
    unless the terms have the contacts called instead. calls: whether announced calls leave it.
    """
    terms, asked = incident.terms, incident.case.texts
    round_ = max((one.round for one in asked), default=1)
    if asked and asked[-1].by == "sms" and not carried:
        asked = asked[:-1]  # it never left: he was not asked yet
    told = {one.to for one in asked if one.round == round_}
    ways = usable(incident.site, texts=carried, calls=calls)
    for key, by in ways.items():
        if key not in told:
            return _rung(key, by, round_, terms, "S7.2", now)
    if not carried and not ways:
        return [Enqueue("M12.2", "no carrier takes texts")]
    operator_next = treatment == "ladder+operator"
    texting = terms.texting
    rounds = texting.rounds_before_operator if operator_next else texting.rounds
    if round_ < rounds and ways:
        first, by = next(iter(ways.items()))
        return _rung(first, by, round_ + 1, terms, "S7.5", now)
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
