"""From the journal's unjudged signals to verdicts: one transaction per signal.

Verdict, incident, agenda, outbox, entries and the strike of the pending row commit together, so a
signal is judged exactly once, whatever dies meanwhile.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.db import connection, transaction

from meldkamer.incidents import outages
from meldkamer.incidents.carry_out import Docket
from meldkamer.incidents.facts import incident_facts, recent_signals, signal_facts, site_facts
from meldkamer.incidents.models import Incident, Notice, Verdict
from meldkamer.journal import commands as journal
from meldkamer.journal.models import Signal
from meldkamer.rules import verdicts
from meldkamer.rules.acts import Judgement
from meldkamer.rules.facts import SignalFacts
from meldkamer.sites.models import Site
from meldkamer.watch import commands as watch

_CLAIM = """
DELETE FROM journal_pending WHERE signal_id = (
    SELECT signal_id FROM journal_pending ORDER BY urgency, signal_id
    FOR UPDATE SKIP LOCKED LIMIT 1
) RETURNING signal_id, received_at
"""


def judge_next(now: datetime) -> bool:
    """Judge the most urgent unjudged signal; False when there is none to be had."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_CLAIM)
            claimed = cursor.fetchone()
        if claimed is None:
            return False
        signal_id, received_at = claimed
        _judge(Signal.objects.get(pk=signal_id, received_at=received_at), now)
    return True


def _judge(row: Signal, now: datetime) -> None:
    signal = signal_facts(row)
    if row.site_id is None:
        _without_site(row, signal, now)
        return
    if signal.type == "power" or signal.restores_type == "power":
        outages.lock(row.site_id)
    site = (
        Site.objects.select_related("provider", "customer", "installer")
        .select_for_update(no_key=True, of=("self",))
        .get(pk=row.site_id)
    )
    facts = site_facts(site, now)
    if signal.type == "power":
        facts = replace(facts, in_outage=outages.covers(site))
    incidents = list(
        Incident.objects.filter(site=site, closed_at=None)
        .select_related("site__provider")
        .order_by("opened_at", "id")
    )
    judgement = verdicts.judge(
        signal,
        facts,
        [incident_facts(incident, now, facts) for incident in incidents],
        recent_signals(facts, now),
        now,
    )
    incident = next((i for i in incidents if i.pk == judgement.incident), None)
    docket = Docket(site, facts, now, incident=incident, signal_id=row.pk)
    _tell_received(docket, judgement.signal or signal)
    docket.carry_out(judgement.acts)
    if judgement.verdict == "joined" and docket.opened.closed_at is None:
        docket.call_in_supervisor()
    _store_verdict(row, judgement, docket, now)
    _follow_up(docket, judgement, signal, now)


def _tell_received(docket: Docket, signal: SignalFacts) -> None:
    """What a transmitter sent is received; what the watch found has a word of its own (R4)."""
    if signal.origin == "watch":
        clause = "S11.1" if signal.code == "schedule.missed" else "S10.3"
        keep = {k: v for k, v in signal.detail.items() if k in ("count", "expected", "how")}
        docket.say(signal.code, clause, data={"type": signal.type, **keep})
        return
    data = {"code": signal.code, "zone": signal.zone, "type": signal.type, "area": signal.area}
    clause = "S10.5" if signal.type == "undefined" else "M1.2"
    docket.say("signal.received", clause, data={k: v for k, v in data.items() if v is not None})


def _store_verdict(row: Signal, judgement: Judgement, docket: Docket, now: datetime) -> None:
    incident = docket.incident
    Verdict.objects.create(
        signal_id=row.pk,
        at=now,
        verdict=judgement.verdict,
        reason=judgement.reason[:120],
        clause=judgement.clause,
        incident=incident,
        site=docket.site,
    )
    # a restore is shown quietly; what rises must be seen before closing
    rises = judgement.verdict == "joined" and row.role == "event"
    if rises and incident is not None and incident.closed_at is None:
        incident.unseen += 1
        docket.save("unseen")
    journal.announce(f"site:{docket.site.pk}")


def _follow_up(docket: Docket, judgement: Judgement, signal: SignalFacts, now: datetime) -> None:
    """What else hangs on a signal: outages, line tests, hours, codes that were told of."""
    if judgement.verdict == "refused":
        Notice.objects.create(
            provider=docket.site.provider,
            at=now,
            kind=(signal.disposition or signal.role)[:24],
            clause=judgement.clause,
            text=docket.site.name,
            site=docket.site,
            signal_id=signal.id,
        )
        return
    if judgement.verdict == "told":
        watch.told_undefined(docket.site, signal.code, now)
    if signal.role == "test_message":
        watch.test_received(docket.site, signal.at, now)
    if signal.role in ("arm", "disarm"):
        by = f"user {signal.user}" if signal.user else ""
        armed = signal.role == "arm"
        watch.arming_changed(docket.site, armed, signal.area or "", by, signal.at, now)
    if judgement.verdict in ("opened", "joined") and signal.type == "power":
        outages.power_failed(docket, now)
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
    Verdict.objects.create(
        signal_id=row.pk,
        at=now,
        verdict=judgement.verdict,
        reason=judgement.reason,
        clause=judgement.clause,
    )
    Notice.objects.create(
        at=now,
        kind=judgement.verdict,
        clause=judgement.clause,
        text=f"{row.account} {row.code}".strip(),
        signal_id=row.pk,
    )
    journal.announce("notices")
