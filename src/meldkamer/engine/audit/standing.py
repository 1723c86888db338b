"""Checks of what stands in the tables now: what waits, what is open, what is due, what runs.

Each statement goes by an index and stops at %(most)s rows. Where the database itself forbids the
fault by a constraint, the check stays: a constraint can be dropped, and a backup restored without.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from meldkamer.contracts import commands as contracts
from meldkamer.contracts import interruptions, tasks
from meldkamer.engine.audit.check import Check, Look, Seen, rows, standing, walking
from meldkamer.engine.audit.recurring import RECURRING
from meldkamer.incidents.deciding import carry_out, floods, outages
from meldkamer.incidents.house_checks import MOST
from meldkamer.incidents.operating import dispatching
from meldkamer.notify import outbox
from meldkamer.sites.models import Provider
from meldkamer.terms.loader import load

#: a worker looks at the agenda every second at least: two cycles, and what a busy minute takes
_CYCLES_AND_LIMIT_S = 62
_OPEN_STEP = 5000

# the oldest of each urgency comes first in the index; those that were put aside begin at 100
_WAITS = """
SELECT 'signal', p.signal_id, NULL::bigint, p.received_at, 'urgency ' || u
FROM generate_series(0, 99) AS u,
 LATERAL (SELECT signal_id, received_at FROM journal_pending
  WHERE urgency = u ORDER BY signal_id LIMIT 20) AS p
WHERE p.received_at < %(now)s - make_interval(secs => CASE
 WHEN u <= 2 THEN %(alarm_s)s ELSE %(other_s)s END)
ORDER BY p.received_at LIMIT %(most)s
"""
_ASIDE = """
SELECT 'signal', signal_id, NULL::bigint, received_at, '' FROM journal_pending
WHERE urgency >= 100 AND (received_at < %(now)s - make_interval(secs => %(aside_s)s)
 OR NOT EXISTS (SELECT FROM agenda_agendarow a WHERE a.done_at IS NULL
  AND a.kind = 'signal.again' AND a.subject = 'signal:' || signal_id))
ORDER BY signal_id LIMIT %(most)s
"""
_REPLIES = """
SELECT 'reply', id, NULL::bigint, received_at, '' FROM notify_inboundmessage
WHERE consumed_at IS NULL AND received_at < %(now)s - make_interval(secs => %(reply_s)s)
ORDER BY id LIMIT %(most)s
"""
_OUTBOX = """
SELECT 'message', id, site_id, created_at, channel FROM notify_outboxmessage
WHERE state IN ('pending', 'sending', 'waiting')
 AND created_at < %(now)s - make_interval(secs => CASE channel
 WHEN 'mail' THEN %(mail_s)s WHEN 'letter' THEN %(letter_s)s ELSE %(phone_s)s END)
ORDER BY id LIMIT %(most)s
"""
# what is in a carrier's hands or waits for its next try comes back by the agenda alone
_UNTRIED = """
SELECT 'message', m.id, m.site_id, m.created_at, m.channel FROM notify_outboxmessage m
WHERE m.state IN ('pending', 'sending', 'waiting') AND m.state <> 'pending' AND NOT EXISTS (
 SELECT FROM agenda_agendarow a WHERE a.done_at IS NULL AND a.kind = %(kind)s
  AND a.subject = 'message:' || m.id)
ORDER BY m.id LIMIT %(most)s
"""
_RECEIPTS = """
SELECT 'receipt', r.id, m.site_id, r.received_at, r.state FROM notify_receipt r
JOIN notify_outboxmessage m ON m.carrier_id = r.carrier_id AND m.carrier_ref = r.ref
 AND m.carrier_ref <> ''
WHERE r.consumed_at IS NULL AND r.received_at < %(now)s - make_interval(secs => %(receipt_s)s)
ORDER BY r.id LIMIT %(most)s
"""
_NO_OWNER = """
SELECT 'incident', id, site_id, opened_at, state FROM incidents_incident
WHERE id = ANY(%(ids)s) AND closed_at IS NULL AND (coalesce(owner, '') = '' OR due IS NULL
 OR outcome IS NOT NULL OR state = 'closed'
 OR (state IN ('taken', 'held')) <> (holder_id IS NOT NULL))
ORDER BY id LIMIT %(most)s
"""
_NO_AGENDA = """
SELECT 'incident', i.id, i.site_id, i.due, i.state FROM incidents_incident i
WHERE i.id = ANY(%(ids)s) AND i.closed_at IS NULL AND NOT EXISTS (
 SELECT FROM agenda_agendarow a WHERE a.done_at IS NULL AND a.kind = %(kind)s
  AND a.subject = 'incident:' || i.id
  AND a.due <= coalesce(i.due, %(now)s) + make_interval(secs => %(put_off_s)s))
ORDER BY i.id LIMIT %(most)s
"""
# a row put off for a fault is due again within five minutes; on time it is the incident's own due
_PUT_OFF_S = 360
_LADDER = """
SELECT 'incident', i.id, i.site_id, i.due, '' FROM incidents_incident i
WHERE i.id = ANY(%(ids)s) AND i.closed_at IS NULL AND i.state = 'texting' AND (
 i.due > %(now)s + make_interval(secs => %(longest_s)s)
 OR NOT EXISTS (SELECT FROM notify_outboxmessage m
  WHERE m.incident_id = i.id AND m.template IN ('ladder', 'announced')))
ORDER BY i.id LIMIT %(most)s
"""
_TWICE_OPEN = """
SELECT 'incident', i.id, i.site_id, i.opened_at, i.type FROM incidents_incident i
WHERE i.id = ANY(%(ids)s) AND i.closed_at IS NULL AND EXISTS (
 SELECT FROM incidents_incident o WHERE o.site_id = i.site_id AND o.type = i.type
  AND o.area = i.area AND o.closed_at IS NULL AND o.id < i.id)
ORDER BY i.id LIMIT %(most)s
"""
_OVERDUE = """
SELECT 'agenda', id, NULL::bigint, due, kind || ' ' || subject FROM agenda_agendarow
WHERE done_at IS NULL AND due < %(now)s - make_interval(secs => %(limit_s)s)
ORDER BY due, id LIMIT %(most)s
"""
# a failing row is put off by five minutes at most, so it is always among the next ones
_FAILING = """
SELECT 'agenda', id, NULL::bigint, created_at, kind || ' ' || subject FROM agenda_agendarow
WHERE done_at IS NULL AND due < %(now)s + make_interval(secs => %(put_off_s)s) AND attempts >= 3
ORDER BY due, id LIMIT %(most)s
"""
_RECURRING = """
SELECT 'recurring', ordinality, NULL::bigint, NULL::timestamptz, kind
FROM unnest(%(kinds)s::text[]) WITH ORDINALITY AS k(kind, ordinality)
WHERE NOT EXISTS (SELECT FROM agenda_agendarow a
 WHERE a.done_at IS NULL AND a.kind = k.kind AND a.subject = ANY(%(subjects)s))
LIMIT %(most)s
"""
_TESTS = """
SELECT 'test', t.id, t.site_id, t.until, '' FROM contracts_testmode t
WHERE t.ended_at IS NULL AND (t.until < %(now)s - make_interval(secs => %(limit_s)s)
 OR NOT EXISTS (SELECT FROM agenda_agendarow a WHERE a.done_at IS NULL AND a.kind = %(kind)s
  AND a.subject = 'test:' || t.id))
ORDER BY t.until LIMIT %(most)s
"""
_INTERRUPTIONS = """
SELECT 'interruption', i.id, i.site_id, coalesce(i.until, i.review_at), i.kind
FROM contracts_interruption i
WHERE i.ended_at IS NULL AND (i.until < %(now)s - make_interval(secs => %(limit_s)s)
 OR (i.review_at IS NOT NULL AND NOT EXISTS (SELECT FROM agenda_agendarow a
  WHERE a.done_at IS NULL AND a.kind = %(kind)s AND a.subject = 'interruption:' || i.id)))
ORDER BY i.id LIMIT %(most)s
"""
# it is looked at again and again until it is quiet, and nobody else releases it
_FLOODS = """
SELECT 'interruption', i.id, i.site_id, i.started_at, i.kind FROM contracts_interruption i
WHERE i.ended_at IS NULL AND i.kind = 'flood' AND NOT EXISTS (SELECT FROM agenda_agendarow a
 WHERE a.done_at IS NULL AND a.kind = %(kind)s AND a.subject = 'interruption:' || i.id)
ORDER BY i.id LIMIT %(most)s
"""
_OFFERS = """
SELECT 'patrol', j.id, j.site_id, j.answer_by, '' FROM notify_patroljob j
WHERE j.state = 'offered' AND (j.answer_by < %(now)s - make_interval(secs => %(limit_s)s)
 OR NOT EXISTS (SELECT FROM agenda_agendarow a WHERE a.done_at IS NULL
  AND a.kind = %(kind)s AND a.subject = 'patrol-job:' || j.id))
ORDER BY j.id LIMIT %(most)s
"""
_TASKS = """
SELECT 'task', t.id, t.site_id, t.due, t.kind FROM contracts_task t
WHERE t.closed_at IS NULL AND (coalesce(t.owner, '') = '' OR t.due IS NULL
 OR NOT EXISTS (SELECT FROM agenda_agendarow a WHERE a.done_at IS NULL
  AND a.kind = %(kind)s AND a.subject = 'task:' || t.id
  AND a.due <= greatest(t.ready_at, t.due) + make_interval(secs => %(put_off_s)s)))
ORDER BY t.id LIMIT %(most)s
"""
_TRIALS = """
SELECT 'trial', s.id, s.id, s.activated_at, ''
FROM unnest(%(providers)s::bigint[], %(begun)s::timestamptz[]) AS w (provider, begun)
JOIN sites_site s ON s.provider_id = w.provider AND s.activated_at > w.begun
WHERE NOT EXISTS (SELECT FROM agenda_agendarow a WHERE a.done_at IS NULL
 AND a.kind = %(kind)s AND a.subject = 'site:' || s.id)
ORDER BY s.id LIMIT %(most)s
"""
_OUTAGES = """
SELECT 'outage', o.id, NULL::bigint, o.last_power_at, '' FROM incidents_areaoutage o
WHERE o.ended_at IS NULL AND NOT EXISTS (SELECT FROM agenda_agendarow a
 WHERE a.done_at IS NULL AND a.kind = %(kind)s AND a.subject = 'outage:' || o.id)
ORDER BY o.id LIMIT %(most)s
"""


def _trials(given: Look) -> Seen:
    """How long a trial is stands in each provider's terms (S4.3)."""
    lasts = {pk: load(name).trial.days for pk, name in Provider.objects.values_list("pk", "terms")}
    begun = {pk: given.now - timedelta(days=days) for pk, days in lasts.items() if days}
    wanted = {
        "providers": list(begun), "begun": list(begun.values()), "kind": contracts.END_TRIAL,
        "most": MOST,
    }  # fmt: skip
    return Seen(tuple(rows(_TRIALS, wanted)))


_TRIAL_OF_ONE = {"providers": [1], "begun": [datetime.max.replace(tzinfo=UTC)],
                 "kind": contracts.END_TRIAL, "most": MOST}  # fmt: skip

CHECKS: tuple[Check, ...] = (
    standing("signal_waits", "M12.1", _WAITS, alarm_s=60, other_s=900),
    standing("signal_put_aside", "M12.1", _ASIDE, aside_s=120),
    standing("reply_waits", "S7.4", _REPLIES, reply_s=120),
    standing("message_waits", "S7.2", _OUTBOX, phone_s=120, mail_s=900, letter_s=86_400),
    standing("message_untried", "M12.1", _UNTRIED, kind=outbox.AGAIN),
    standing("receipt_waits", "S7.2", _RECEIPTS, receipt_s=120),
    walking("open_without_owner", "M12.2", _NO_OWNER, step=_OPEN_STEP),
    walking(
        "open_without_agenda",
        "M12.2",
        _NO_AGENDA,
        step=_OPEN_STEP,
        kind=carry_out.DUE,
        put_off_s=_PUT_OFF_S,
    ),
    walking("ladder_without_wait", "S7.2", _LADDER, step=_OPEN_STEP, longest_s=3600),
    walking("opened_beside_another", "M12.1", _TWICE_OPEN, step=_OPEN_STEP),
    standing("agenda_overdue", "M12.2", _OVERDUE, limit_s=_CYCLES_AND_LIMIT_S),
    standing("agenda_failing", "M12.2", _FAILING, put_off_s=_PUT_OFF_S),
    standing(
        "recurring_missing",
        "M12.2",
        _RECURRING,
        kinds=[kind for kind, _ in RECURRING],
        subjects=[subject for _, subject in RECURRING],
    ),
    standing(
        "test_without_end", "S20.1", _TESTS, kind=contracts.END_TEST, limit_s=_CYCLES_AND_LIMIT_S
    ),
    standing(
        "interruption_without_end",
        "D908.1",
        _INTERRUPTIONS,
        kind=interruptions.REVIEW,
        limit_s=_CYCLES_AND_LIMIT_S,
    ),
    standing("flood_without_end", "D908.3", _FLOODS, kind=floods.END),
    Check("trial_without_end", "S4.3", _trials, ((_TRIALS, _TRIAL_OF_ONE),)),
    standing("task_without_agenda", "M12.2", _TASKS, kind=tasks.DUE, put_off_s=_PUT_OFF_S),
    standing(
        "patrol_unanswered",
        "S6.1",
        _OFFERS,
        kind=dispatching.OFFER_END,
        limit_s=_CYCLES_AND_LIMIT_S,
    ),
    standing("outage_without_end", "S10.2", _OUTAGES, kind=outages.END),
)
