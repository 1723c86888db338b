"""From the journal's unjudged signals to verdicts: all of a decision in one transaction.

A transaction judges one signal or several of one class (security never waits for a power failure).
Verdict, incident, agenda, outbox, entries and the strike of the pending row commit together, so a
signal is judged exactly once, whatever dies meanwhile. A signal that cannot be judged is put aside:
it keeps its place in the journal and on the pending list, is told to the supervisor, and is tried
again by the agenda; it never stands in the way of the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from meldkamer.agenda import commands as agenda
from meldkamer.agenda.faults import is_passing
from meldkamer.incidents import notices
from meldkamer.incidents.deciding import floods, gathering, outages, pending
from meldkamer.incidents.deciding.carry_out import Docket
from meldkamer.incidents.deciding.facts import signal_facts
from meldkamer.incidents.deciding.pending import Claimed
from meldkamer.incidents.deciding.situation import Situation, situations
from meldkamer.incidents.models import Verdict
from meldkamer.journal import commands as journal
from meldkamer.journal.models import Signal
from meldkamer.rules import verdicts
from meldkamer.rules.acts import Judgement, Open
from meldkamer.rules.facts import SignalFacts, SiteFacts
from meldkamer.sites.models import Provider, Site
from meldkamer.watch import commands as watch
from meldkamer.watch import hours

AGAIN = "signal.again"
#: what the watch found: the clause of each word, S10.3 for lines; what is told of it
_CLAUSES = {"schedule.missed": "S11.1", "carrier down": "M12.1", "carrier up": "M12.1"}
_FOUND = ("count", "expected", "how", "carrier", "fault")


def judge_next(now: datetime, most: int = 1, upto: int = pending.EVERY) -> int:
    """Judge the most urgent unjudged signals, at most so many; how many were judged.

    upto: of these classes alone. 0 when there is none to be had.
    """
    claimed: list[Claimed] = []
    try:
        with transaction.atomic():
            claimed = pending.claim(most, upto)
            return _judge_claimed(claimed, now)
    except Exception as fault:
        if not claimed or is_passing(fault):
            raise
        if len(claimed) > 1:
            # one of them is at fault: alone it stands in nobody's way
            return sum(judge_next(now, 1, upto) for _ in claimed)
        _put_aside(claimed[0].number, now)
        raise


@transaction.atomic
def judge_again(signal_id: int, now: datetime) -> None:
    """Judge a signal that was put aside; a fault leaves it there and on the agenda."""
    _judge_claimed(pending.claim_one(signal_id), now)


def _judge_claimed(claimed: list[Claimed], now: datetime) -> int:
    """Judge what can be had at once: a site that somebody works on keeps its signals waiting."""
    if not claimed:
        return 0
    moments = [one.received_at for one in claimed]
    found = Signal.objects.filter(
        pk__in=[one.number for one in claimed], received_at__range=(min(moments), max(moments))
    )
    rows = sorted(found, key=lambda row: row.pk)
    sites = _locked(rows)
    if len(rows) == 1 and rows[0].site_id is not None and not sites:
        raise LookupError(f"signal {rows[0].pk} is of site {rows[0].site_id}, which is not there")
    if sites is None:
        return _judge_claimed(claimed[:1], now)
    rows = [row for row in rows if row.site_id is None or row.site_id in sites]
    rows = _in_turn(rows, claimed[0])
    for run in _runs(rows):
        _judge_run(run, sites, now)
    pending.strike([row.pk for row in rows])
    return len(rows)


def _locked(rows: list[Signal]) -> dict[int, Site] | None:
    """The sites of these signals, locked in the order of their numbers; None when none is free.

    One signal waits for its site. Of several those are left out whose site is in use; and the power
    signals of a provider when another worker judges such (see `outages`).
    """
    alone = len(rows) == 1
    wanted = {row.site_id for row in rows if row.site_id is not None}
    power = {row.site_id for row in rows if row.site_id is not None and _of_power(row)}
    if power:
        wanted -= power - outages.lock(power, wait=alone)
    if not wanted:
        return {}
    found = Site.objects.filter(pk__in=wanted).order_by("pk")
    sites = {site.pk: site for site in found.select_for_update(no_key=True, skip_locked=not alone)}
    providers = Provider.objects.in_bulk({site.provider_id for site in sites.values()})
    for site in sites.values():
        site.provider = providers[site.provider_id]
    return sites if sites or alone else None


def _in_turn(rows: list[Signal], claimed: Claimed) -> list[Signal]:
    """Without those of which the site has an older one that another worker claimed.

    It may be ahead of us with younger signals; at one site a class is judged as it came (R1b).
    """
    if claimed.since is None or not rows:
        return rows
    sites = [row.site_id for row in rows if row.site_id is not None]
    mine = [row.pk for row in rows]
    earlier = pending.earlier(sites, mine, claimed.urgency, claimed.since)
    return [row for row in rows if earlier.get(row.site_id or 0, row.pk) >= row.pk]


def _of_power(row: Signal) -> bool:
    return row.type == "power" or (row.detail or {}).get("restores_type") == "power"


def _runs(rows: list[Signal]) -> Iterator[list[Signal]]:
    """Cut where a site comes again: its next signal is judged by what this one changed."""
    run: list[Signal] = []
    there: set[int] = set()
    for row in rows:
        if row.site_id in there:
            yield run
            run, there = [], set()
        run.append(row)
        if row.site_id is not None:
            there.add(row.site_id)
    if run:
        yield run


@transaction.atomic
def _put_aside(signal_id: int, now: datetime) -> None:
    if not pending.put_aside(signal_id):
        return
    agenda.put_aside(AGAIN, f"signal:{signal_id}", now, {"signal": signal_id})
    row = Signal.objects.filter(pk=signal_id).first()
    site = Site.objects.filter(pk=row.site_id).first() if row and row.site_id else None
    text = f"{site.name if site else ''} {row.account} {row.code}".strip() if row else ""
    notices.add("not_judged", "M12.1", text, now, site=site, signal_id=signal_id)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A signal that is to be judged, and its site as it meets it."""

    row: Signal
    signal: SignalFacts
    situation: Situation
    facts: SiteFacts


@dataclass(frozen=True, slots=True)
class _Judged:
    """A signal with its judgement; what the rules were told stays with it."""

    asked: _Asked
    judgement: Judgement


def _judge_run(rows: list[Signal], sites: dict[int, Site], now: datetime) -> None:
    """Signals of different sites: all are judged, then carried out, then what hangs on them."""
    found = situations([sites[row.site_id] for row in rows if row.site_id is not None], now)
    failing = [sites[row.site_id] for row in rows if row.site_id and row.type == "power"]
    dark = outages.covered(failing)
    asked = [_asked(row, found[row.site_id], dark) for row in rows if row.site_id is not None]
    bursts = floods.bursts((one.row, one.facts) for one in asked)
    with gathering.gathered():
        for row in rows:
            if row.site_id is None:
                _without_site(row, signal_facts(row), now)
        judged = [_judge(one, bursts.get(one.row.pk, 0), now) for one in asked]
        gathering.expect(sum(isinstance(act, Open) for one in judged for act in one.judgement.acts))
        dockets = [_carry_out(one, now) for one in judged]
        gathering.put_down()
        for one, docket in zip(judged, dockets, strict=True):
            _follow_up(docket, one.judgement, one.asked.signal, now)
        failed = [
            (docket, one.asked.signal.at)
            for one, docket in zip(judged, dockets, strict=True)
            if _has_failed(one)
        ]
        if failed:
            outages.power_failed(failed, now)


def _has_failed(judged: _Judged) -> bool:
    verdict = judged.judgement.verdict
    return judged.asked.signal.type == "power" and verdict in ("opened", "joined")


def _asked(row: Signal, situation: Situation, dark: set[int]) -> _Asked:
    signal = signal_facts(row)
    in_outage = signal.type == "power" and situation.site.pk in dark
    return _Asked(row, signal, situation, situation.facts_at(signal, in_outage=in_outage))


def _judge(asked: _Asked, burst: int, now: datetime) -> _Judged:
    signal, facts, situation = replace(asked.signal, burst=burst), asked.facts, asked.situation
    incidents = situation.incidents_at(now, facts)
    return _Judged(asked, verdicts.judge(signal, facts, incidents, situation.recent, now))


def _carry_out(judged: _Judged, now: datetime) -> Docket:
    judgement, asked = judged.judgement, judged.asked
    situation, row = asked.situation, asked.row
    incident = next((i for i in situation.incidents if i.pk == judgement.incident), None)
    past = situation.histories[incident.pk] if incident else None
    docket = Docket(
        situation.site, asked.facts, now, incident=incident, signal_id=row.pk, past=past
    )
    _tell_received(docket, judgement.signal or asked.signal)
    docket.carry_out(judgement.acts)
    if judgement.verdict == "joined" and docket.opened.closed_at is None:
        docket.call_in_supervisor()
    _store_verdict(row, judgement, docket, now)
    return docket


def _tell_received(docket: Docket, signal: SignalFacts) -> None:
    """What a transmitter sent is received; what the watch found has a word of its own (R4)."""
    if signal.origin == "watch":
        keep = {k: v for k, v in signal.detail.items() if k in _FOUND}
        clause = _CLAUSES.get(signal.code, "S10.3")
        docket.say(signal.code, clause, data={"type": signal.type, **keep})
        return
    data = {"code": signal.code, "zone": signal.zone, "type": signal.type, "area": signal.area}
    clause = "S10.5" if signal.type == "undefined" else "M1.2"
    docket.say("signal.received", clause, data={k: v for k, v in data.items() if v is not None})


def _store_verdict(row: Signal, judgement: Judgement, docket: Docket, now: datetime) -> None:
    incident = docket.incident
    gathering.given(
        Verdict(
            signal_id=row.pk,
            at=now,
            verdict=judgement.verdict,
            reason=judgement.reason[:120],
            clause=judgement.clause,
            incident_id=incident.pk if incident else None,
            site_id=docket.site.pk,
        )
    )
    # a restore is shown quietly; what rises must be seen before closing
    rises = judgement.verdict == "joined" and row.role == "event"
    if rises and incident is not None and incident.closed_at is None:
        incident.unseen += 1
        docket.save("unseen")
    journal.announce(f"site:{docket.site.pk}")


def _follow_up(docket: Docket, judgement: Judgement, signal: SignalFacts, now: datetime) -> None:
    """What else hangs on a signal: restores, line tests, hours, codes that were told of."""
    if judgement.verdict == "refused":
        kind = (signal.disposition or signal.role)[:24]
        site = docket.site
        notices.add(kind, judgement.clause, site.name, now, site=site, signal_id=signal.id)
        return
    if judgement.verdict == "told":
        watch.told_undefined(docket.site, signal.code, now)
    if signal.type == "undefined" and judgement.reason in ("undefined", "undefined_known"):
        watch.list_undefined(docket.site, signal.code, now)
    if signal.role == "test_message":
        watch.test_received(docket.site, signal.transmitter, signal.at, now)
    if signal.role in ("arm", "disarm"):
        by = f"user {signal.user}" if signal.user else ""
        armed = signal.role == "arm"
        hours.arming_changed(docket.site, armed, signal.area or "", by, signal.at, now)
    if judgement.verdict in ("journaled", "joined") and signal.restores_type == "power":
        outages.power_restored(docket.site, now)


def _without_site(row: Signal, signal: SignalFacts, now: datetime) -> None:
    """An unknown account: the supervisor's list, never away (S10.7)."""
    judgement = verdicts.judge(signal, None, (), (), now)
    data = {"code": row.code, "zone": row.zone, "type": row.type, "account": row.account}
    journal.write("signal.received", now, signal_id=row.pk, clause="S10.7", data=data)
    for act in judgement.acts:
        journal.write(
            "supervisor.notified",
            now,
            signal_id=row.pk,
            clause=judgement.clause,
            reason=judgement.reason,
            data={"account": row.account, "act": type(act).__name__},
        )
    gathering.given(
        Verdict(
            signal_id=row.pk,
            at=now,
            verdict=judgement.verdict,
            reason=judgement.reason,
            clause=judgement.clause,
        )
    )
    text = f"{row.account} {row.code}".strip()
    notices.add(judgement.verdict, judgement.clause, text, now, signal_id=row.pk)
