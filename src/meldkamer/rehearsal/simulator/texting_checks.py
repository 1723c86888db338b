"""Checkers of the SMS ladder (section 4): who is texted, when, how often, and what replies do."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from meldkamer.journal.models import Entry
from meldkamer.rehearsal.simulator.observed import TEXTED, Run, Said, moment

_MOBILES = {"BE": r"\+324\d{8}", "NL": r"\+316\d{8}", "LU": r"\+3526\d{8}"}


def _texts(course: Sequence[Entry]) -> list[Entry]:
    return [e for e in course if e.what == "sms.sent" and e.data.get("purpose") == "ladder"]


def textable(run: Run, site_id: int) -> list[str]:
    """S7.6: the keys of the contacts whose numbers may be texted, in order."""
    patterns = [_MOBILES[country] for country in run.terms.texting.mobile_countries]
    return [
        f"c{contact.pk}"
        for contact in run.contacts[site_id]
        if any(re.fullmatch(pattern, contact.phone) for pattern in patterns)
    ]


def order_and_waits(run: Run) -> Said:
    """S7.1, S7.2, S7.5, S7.6: in the order of the list, each after the wait, round after round."""
    wait = timedelta(seconds=run.terms.texting.wait_s)
    rejected = {entry.data["message"]: entry.at for entry in run.told("sms.rejected")}
    for number, course in run.courses():
        texts = _texts(course)
        if not texts:
            continue
        people = textable(run, course[0].site_id or 0)
        most = max(run.terms.texting.rounds, run.terms.texting.rounds_before_operator)
        wanted = [(key, round_) for round_ in range(1, most + 1) for key in people]
        got = [(text.data["key"], text.data["round"]) for text in texts]
        if got != wanted[: len(got)]:
            yield f"incident {number} texted {got}, expected {wanted[: len(got)]}"
        for before, text in pairwise(texts):
            due = rejected.get(before.data["message"]) or _waited(run, before, wait)
            if text.at != due:
                yield f"{moment(text)}: expected at {due.isoformat()}"
        yield from _given_up(run, course, texts, wait)


def _waited(run: Run, text: Entry, wait: timedelta) -> datetime:
    """The wait from the hand-over; of a text that the carrier never took, from its decision."""
    message = run.messages.get(text.data["message"])
    return max(text.at, (message.handed_over_at if message else None) or text.at) + wait


def _given_up(run: Run, course: Sequence[Entry], texts: list[Entry], wait: timedelta) -> Said:
    """S7.5, S16.1: an operator when the rounds are over, not sooner and not later."""
    queued = next(
        (e for e in course if e.what == "incident.queued" and e.reason == "nobody confirmed"), None
    )
    if queued is None:
        return
    rejected = [e.at for e in course if e.what == "sms.rejected"]
    if queued.at != _waited(run, texts[-1], wait) and queued.at not in rejected:
        yield f"{moment(queued)}: the last text was at {texts[-1].at.isoformat()}"
    site_id = course[0].site_id or 0
    rounds = {run.terms.texting.rounds, run.terms.texting.rounds_before_operator}
    if site_id not in run.changed_sites:
        site = run.sites[site_id]
        treatment = run.terms.treatment(site.plan, site.formula, course[0].type)
        texting = run.terms.texting
        with_operator = treatment == "ladder+operator"
        rounds = {texting.rounds_before_operator if with_operator else texting.rounds}
    if len(texts) not in {count * len(textable(run, site_id)) for count in rounds}:
        yield f"{moment(queued)} after {len(texts)} texts"


def texted_once(run: Run) -> Said:
    """S7.5: nobody is texted twice in a round; what was told was sent, once."""
    for number, course in run.courses():
        for (key, round_), count in Counter(
            (text.data["key"], text.data["round"]) for text in _texts(course)
        ).items():
            if count > 1:
                yield f"incident {number} texted {key} {count} times in round {round_}"
    told = Counter(e.data["message"] for e in run.told("sms.sent", "app.sent", "mail.sent"))
    for message, count in told.items():
        if count > 1 or message not in run.messages:
            yield f"message {message} was told {count} times"
    for number in run.messages:
        if number not in told:
            yield f"message {number} was sent and not told"


def replies(run: Run) -> Said:
    """S7.3, S7.4, S7.7, S7.8: "ok" closes at once; anything else calls an operator at once."""
    for entry in run.told("sms.received"):
        ok = str(entry.data["text"]).strip().lower() == "ok"
        course = run.of_incident.get(entry.incident_id or 0, [])
        if not course or entry.type not in TEXTED:
            continue
        after = [e for e in course if e.pk > entry.pk and e.at == entry.at]
        closed = any(e.what == "incident.closed" and e.pk < entry.pk for e in course)
        if closed:
            yield from _late(run, entry, ok)
        elif ok and not any(
            e.what == "incident.closed" and e.data["outcome"] == "confirmed_by_sms" for e in after
        ):
            yield f"{moment(entry)}: an ok did not close it"
        called = any(e.what == "incident.queued" for e in after)
        if not closed and not ok and not called and not _with_operator(course, entry):
            yield f"{moment(entry)}: {entry.data['text']!r} called no operator"


def _with_operator(course: Sequence[Entry], entry: Entry) -> bool:
    """Whether it was in the queue or in an operator's hands when a reply came."""
    state = ""
    for before in course:
        if before.pk >= entry.pk:
            break
        if before.what in ("incident.queued", "incident.taken", "incident.waiting"):
            state = before.what
    return state in ("incident.queued", "incident.taken")


def _late(run: Run, entry: Entry, ok: bool) -> Said:
    """S7.7, S7.8: after closing an ok changes nothing, another reply opens or joins."""
    opened = [
        e
        for e in run.told("incident.opened", "sms.answered")
        if e.site_id == entry.site_id and e.at == entry.at and e.pk > entry.pk
    ]
    if ok and any(e.reason == "late_reply" for e in opened):
        yield f"{moment(entry)}: a late ok opened an incident"
    if not ok and not opened and not _listed(run, entry):
        yield f"{moment(entry)}: a late {entry.data['text']!r} opened nothing"


def _listed(run: Run, entry: Entry) -> bool:
    """Whether it was put on the operators' list, after as many as the terms let open (S7.8)."""
    rules = run.terms.texting
    since = entry.at - timedelta(seconds=rules.late_replies_within_s)
    opened = [
        e
        for e in run.told("incident.opened")
        if e.reason == "late_reply"
        and (e.site_id, e.type) == (entry.site_id, entry.type)
        and since < e.at
        and e.pk < entry.pk
    ]
    wanted = (entry.site_id, entry.at, "S7.8")
    listed = any((row.site_id, row.at, row.clause) == wanted for row in run.notices)
    return len(opened) >= rules.late_replies and listed


def silent_after_ok(run: Run) -> Said:
    """S7.3, S7.4: once it was answered or an operator has it, the ladder sends nothing more."""
    for course in run.of_incident.values():
        over: Entry | None = None
        for entry in course:
            if entry in _texts([entry]) and over is not None:
                yield f"{moment(entry)} after {moment(over)}"
            if entry.what in ("incident.queued", "incident.closed"):
                over = entry
