"""From the journal's unjudged signals to verdicts: one transaction per signal.

Verdict, incident, agenda, outbox, entries and the strike of the pending row commit together, so a
signal is judged exactly once, whatever dies meanwhile. A signal that cannot be judged is put aside:
it keeps its place in the journal and on the pending list, is told to the supervisor, and is tried
again by the agenda; it never stands in the way of the others.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from django.db import connection, transaction

from meldkamer.agenda import commands as agenda
from meldkamer.agenda.faults import is_passing
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

AGAIN = "signal.again"
_AGAIN_AFTER = timedelta(seconds=60)
# pending rows with an urgency of 100 and more were put aside
_CLAIM = """
DELETE FROM journal_pending WHERE (urgency, signal_id) = (
    SELECT urgency, signal_id FROM journal_pending WHERE urgency < 100 ORDER BY urgency, signal_id
    FOR UPDATE SKIP LOCKED LIMIT 1
) RETURNING signal_id, received_at
"""
_CLAIM_ONE = "DELETE FROM journal_pending WHERE signal_id = %s RETURNING signal_id, received_at"
_PUT_ASIDE = (
    "UPDATE journal_pending SET urgency = urgency + 100 WHERE signal_id = %s AND urgency < 100"
)
_OLDEST = "SELECT min(received_at) FROM journal_pending WHERE urgency < 100"


def judge_next(now: datetime) -> bool:
    """Judge the most urgent unjudged signal; False when there is none to be had."""
    signal_id = None
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(_CLAIM)
                claimed = cursor.fetchone()
            if claimed is None:
                return False
            signal_id, received_at = claimed
            _judge(Signal.objects.get(pk=signal_id, received_at=received_at), now)
    except Exception as fault:
        if signal_id is not None and not is_passing(fault):
            _put_aside(signal_id, now)
        raise
    return True


@transaction.atomic
def judge_again(signal_id: int, now: datetime) -> None:
    """Judge a signal that was put aside; a fault leaves it there and on the agenda."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM_ONE, [signal_id])
        claimed = cursor.fetchone()
    if claimed is not None:
        _judge(Signal.objects.get(pk=signal_id, received_at=claimed[1]), now)


@transaction.atomic
def _put_aside(signal_id: int, now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_PUT_ASIDE, [signal_id])
        if not cursor.rowcount:
            return
    agenda.schedule(
        AGAIN, f"signal:{signal_id}", now + _AGAIN_AFTER, now, payload={"signal": signal_id}
    )
    row = Signal.objects.filter(pk=signal_id).first()
    site = Site.objects.filter(pk=row.site_id).first() if row and row.site_id else None
    Notice.objects.create(
        provider=site.provider if site else None,
        at=now,
        kind="not_judged",
        clause="M12.1",
        text=f"{site.name if site else ''} {row.account} {row.code}".strip() if row else "",
        site=site,
        signal_id=signal_id,
    )
    journal.announce("notices")


def oldest_unjudged() -> datetime | None:
    """When the oldest signal came that still waits to be judged; those put aside do not count."""
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST)
        found: datetime | None = cursor.fetchone()[0]
    return found


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
    # a test whose time was over when the signal came does not hold it, however late we are (S20.1)
    facts = replace(facts, tests=tuple(test for test in facts.tests if signal.at < test.until))
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
