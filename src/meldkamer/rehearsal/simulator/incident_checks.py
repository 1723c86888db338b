"""Checkers of how incidents are handled: services, people, calls, counting (sections 2, 3, 6-8)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta

from meldkamer.journal.models import Entry
from meldkamer.rehearsal.simulator.observed import UNASKED, VERIFIED, Run, Said, moment, printed

_SERVICES = {"police.requested": "police", "fire.requested": "fire", "medical.requested": "medical"}


def _before(course: Sequence[Entry], entry: Entry) -> list[Entry]:
    return [one for one in course if one.pk < entry.pk]


def _consulted(course: Sequence[Entry]) -> bool:
    return any(
        (e.what == "call.result" and e.data.get("accepted") and not e.data.get("inform"))
        or e.what == "phoned.in"
        for e in course
    )


def services(run: Run) -> Said:
    """S15.3, S4.3, B1: police never unverified; nobody that a trial forbids; with a reason."""
    for entry in run.told(*_SERVICES):
        course = _before(run.of_incident.get(entry.incident_id or 0, []), entry)
        words = {one.what for one in course}
        override = bool(entry.data.get("override"))
        if override and not entry.reason.strip():
            yield f"{moment(entry)}: an override without a reason"
        forbidden = _SERVICES[entry.what] in run.terms.trial.forbids
        if forbidden and run.in_trial(entry.site_id, entry.at) and not override:
            yield f"{moment(entry)} in trial"
        by_code = bool(words & {"incident.duress", "incident.help"})
        said = any(one.data.get("says") == "duress" for one in course)
        if entry.what == "police.requested" and entry.type in VERIFIED:
            if "incident.verified" not in words:
                yield f"{moment(entry)}: nothing verified it"
            if not (override or by_code or said or _consulted(course)):
                yield f"{moment(entry)}: nobody was consulted"
        if entry.data.get("rule") != "B1":
            yield f"{moment(entry)}: the record does not say how it was verified"


def identified(run: Run) -> Said:
    """S19.1: who does not give the right code stands nothing down and changes nothing."""
    for course in run.of_incident.values():
        for entry in course:
            if entry.what != "call.result" or entry.data.get("inform"):
                continue
            key = str(entry.data["key"])
            person = (
                run.world.premises[entry.site_id or 0]
                if key == "premises"
                else run.world.contacts[int(key[1:])]
            )
            wrong = person.gives_code in ("wrong", "none")
            if wrong and entry.type not in UNASKED and entry.data.get("accepted"):
                yield f"{moment(entry)}: {key} gave {person.gives_code} code and was listened to"
    yield from _callers(run)
    for entry in run.told("incident.closed"):
        if entry.data["outcome"] != "false_alarm":
            continue
        course = _before(run.of_incident[entry.incident_id or 0], entry)
        if not any(
            e.data.get("says") == "false_alarm"
            and (e.what == "phoned.in" or e.data.get("accepted"))
            and not e.data.get("not_enough")
            for e in course
        ):
            yield f"{moment(entry)}: nobody identified said so"


def _callers(run: Run) -> Said:
    """Who calls in is obeyed with the right code alone, as the story gives it; help is no order."""
    right = [
        (run.world.site_of(event.site).pk, at)
        for at, event, _ in run.world.story.events
        if event.phone_from and event.code not in (None, "", "wrong", "none", "duress")
    ]
    for entry in run.entries:
        foretold = entry.what == "phoned.in" and entry.reason.startswith("foretold")
        asked = entry.what == "test.started" and "by phone" in entry.reason
        asked = asked or (entry.what == "patrol.sent" and entry.reason == "asked for by phone")
        if not (asked or entry.what == "phoned.in"):
            continue
        # what was said before the signal came counts so long
        most_s = run.terms.identification.foretold_s if foretold else 0
        since = entry.at - timedelta(seconds=most_s)
        if not any(site == entry.site_id and since <= at <= entry.at for site, at in right):
            yield f"{moment(entry)}: nobody called with the right code"


def duress(run: Run) -> Said:
    """M7.1: after a duress code nobody is called any more."""
    for course in run.of_incident.values():
        given: Entry | None = None
        for entry in course:
            if given is not None and entry.what == "call.placed":
                yield f"{moment(entry)} after a duress code at {given.at.isoformat()}"
            if entry.what == "incident.duress":
                given = entry


def calls(run: Run) -> Said:
    """S15.2-S16.3, M3.2: in the order of the list, each once a round, two rounds at most."""
    for number, course in run.courses():
        placed: dict[int, list[str]] = defaultdict(list)
        first_type = course[0].type
        for entry in course:
            asked = entry.what == "call.placed" and not entry.data.get("inform")
            if asked and entry.type == first_type:
                placed[entry.data["round"]].append(entry.data["key"])
        if max(placed, default=1) > 2:
            yield f"incident {number} had {max(placed)} rounds of calls"
        site_id = course[0].site_id or 0
        if site_id in run.changed_sites:
            continue
        wanted = _call_list(run, site_id, first_type)
        for round_, keys in placed.items():
            sender = next((e.data["key"] for e in course if e.data.get("other")), None)
            first = [sender] if sender in keys else []
            order = [*first, *(key for key in wanted if key not in first)]
            if keys != order[: len(keys)] and keys != wanted[: len(keys)]:
                yield f"incident {number} called {keys} in round {round_}, expected {order}"
        yield from _second_round(run, course)


def _call_list(run: Run, site_id: int, kind: str) -> list[str]:
    site = run.sites[site_id]
    people = [f"c{contact.pk}" for contact in run.contacts[site_id] if contact.phone]
    premises = ["premises"] if site.premises_phone else []
    if kind == "holdup":
        return premises or people[:1]
    if kind in ("battery", "power", "line_test", "open_close"):
        return people
    return premises + people


def _second_round(run: Run, course: Sequence[Entry]) -> Said:
    """M3.2: one more pass, ten minutes after the first (terms data)."""
    waits = [
        e for e in course if e.what == "incident.waiting" and e.data.get("for") == "second_pass"
    ]
    if len(waits) > 1:
        yield f"{moment(waits[1])}: a third pass"
    again = next((e for e in course if e.what == "call.placed" and e.data["round"] == 2), None)
    if again is None or again.data.get("inform"):
        return
    step = next(s for s in run.terms.procedure(course[0].type).steps if s.do == "again")
    if not waits or again.at < waits[0].at + timedelta(seconds=step.after_s):
        yield f"{moment(again)}: the second pass came too early"


def handlings(run: Run) -> Said:
    """M8.1, S13.1, D904.3: once per incident with a call; never in trial; numbers without a gap."""
    counted: dict[int | None, list[Entry]] = defaultdict(list)
    for entry in run.told("handling.counted"):
        counted[entry.incident_id].append(entry)
    for entry in run.told("incident.closed"):
        course = _before(run.of_incident[entry.incident_id or 0], entry)
        called = any(
            e.what in ("call.result", "phoned.in", "incident.help", *_SERVICES) for e in course
        )
        opened = course[0] if course else entry
        site = run.sites[entry.site_id or 0]
        types = run.terms.plans[site.plan].counted_types
        wanted = called and (not types or entry.type in types)
        wanted = wanted and not run.in_trial(entry.site_id, opened.at)
        if len(counted[entry.incident_id]) != int(wanted):
            times = len(counted[entry.incident_id])
            yield f"{moment(entry)} was counted {times} times, expected {int(wanted)}"
    used: dict[tuple[int, date], int] = {}
    for row in run.handlings:
        key = (row.site_id, row.period_start)
        if row.incident_id is not None and row.used != used.get(key, 0) + 1:
            yield f"handling {row.used} of site {row.site_id} follows {used.get(key, 0)}"
        if row.incident_id is not None and row.billable != (row.used > row.included):
            yield f"handling {row.used} of {row.included}: billable is {row.billable}"
        used[key] = row.used
    rows = {(row.incident_id, row.used) for row in run.handlings if row.incident_id is not None}
    told = {(e.incident_id, e.data["used"]) for e in run.told("handling.counted")}
    if rows != told:
        yield f"handlings in the table and in the journal differ: {rows ^ told}"


def queue_order(run: Run) -> Said:
    """S15.1: who takes an incident takes the first: class, then age, then number."""
    waiting: dict[int, tuple[int, float, int]] = {}
    opened = {e.incident_id: e for e in run.told("incident.opened")}
    priority = {number: e.data["priority"] for number, e in opened.items()}
    for entry in run.entries:
        number = entry.incident_id
        if number is None or number not in opened:
            continue
        if entry.what in ("incident.queued", "incident.opened"):
            if entry.type == "holdup":
                priority[number] = 1
            at = opened[number].at.timestamp()
            waiting[number] = (priority[number], at, number)
        elif entry.what == "incident.taken" and number in waiting:
            first = min(waiting.values())
            if waiting[number] != first and not run.terms.queue.ageing_types:
                yield f"{moment(entry)} although incident {first[2]} stood before it"
            del waiting[number]
        elif entry.what in ("incident.waiting", "incident.closed"):
            waiting.pop(number, None)
        elif entry.what in ("sms.sent", "call.announced") and entry.data.get("purpose") == "ladder":
            waiting.pop(number, None)


def power_waits(run: Run) -> Said:
    """S10.1: nobody acts on a power failure before its time is over."""
    acts = ("sms.sent", "call.announced", "app.sent", "incident.queued", "call.placed")
    for number, course in run.courses():
        opened = next((e for e in course if e.what == "incident.opened"), None)
        if opened is None or opened.type != "power" or opened.reason or not opened.signal_id:
            continue
        delay_s = run.sites[opened.site_id or 0].power_delay_s
        delay = timedelta(seconds=run.terms.power.delay_s if delay_s is None else delay_s)
        first = next((e for e in course if e.what in acts), None)
        if first is not None and first.at < opened.at + delay:
            yield f"{moment(first)}: the power failed at {opened.at.isoformat()}"
        closed = next((e for e in course if e.what == "incident.closed"), None)
        if first is None and closed is None and run.end > opened.at + delay:
            yield f"incident {number}: the power failed and nobody acted"


_BECAUSE = {
    "confirmed_by_sms": ("sms.received", "sms.answered"),
    "confirmed_by_call": ("message.acknowledged",),
    "handled": ("call.result", "phoned.in", *_SERVICES),
    "notified": ("sms.sent", "app.sent", "call.result", "mail.sent", "message.left", "told.all"),
    "nobody_reached": ("told.all", "incident.waited"),
}


def outcomes(run: Run) -> Said:
    """R24: each outcome rests on what happened."""
    for entry in run.told("incident.closed"):
        course = _before(run.of_incident[entry.incident_id or 0], entry)
        wanted = _BECAUSE.get(entry.data["outcome"])
        if wanted and not any(one.what in wanted for one in course):
            yield f"{moment(entry)}: {entry.data['outcome']}, and nothing led to it"
        if entry.data["outcome"] == "restored" and entry.type not in (
            "battery",
            "power",
            "line_test",
        ):
            yield f"{moment(entry)}: a restore closed {entry.type}"


def clauses(run: Run) -> Said:
    """M12.3: everything that was done names its rule and who did it."""
    for entry in run.entries:
        if printed(entry) and not entry.clause and entry.what not in _WITHOUT:
            yield f"{moment(entry)} names no rule"
        if not entry.actor:
            yield f"{moment(entry)} names nobody"


_WITHOUT = ("sheet.changed", "handling.counted")


def settles(run: Run) -> Said:
    """After the last fault everything comes to its end, unless nobody is on duty."""
    if not run.world.story.parts.operators or run.world.story.until is not None:
        return
    for incident in run.incidents.values():
        if incident.closed_at is None:
            yield f"incident {incident.pk} ({incident.type}) is still {incident.state}"
