"""Test mode: started by phone or in writing, ended on request or by itself, with a summary (S20.1).

Never: react to a signal of a test, lose one, or let a test hide that something still burns: what is
fire, medical or hold-up and was not restored opens an incident when the test ends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from meldkamer.contracts import commands as contracts
from meldkamer.contracts.models import Document, TestMode
from meldkamer.incidents.deciding.carry_out import Docket
from meldkamer.incidents.deciding.facts import signal_facts, site_facts
from meldkamer.incidents.locking import lock_site
from meldkamer.incidents.models import Incident, Verdict
from meldkamer.journal import commands as journal
from meldkamer.journal.models import Signal
from meldkamer.rules import verdicts
from meldkamer.rules.acts import Mail
from meldkamer.rules.facts import SignalFacts, SiteFacts
from meldkamer.sites.faults import Fault, Refused
from meldkamer.sites.models import Site

_SHOWN = 40


def start_in_writing(
    site_id: int,
    until: datetime,
    reason: str,
    document: Document | None,
    now: datetime,
    *,
    by: str,
    actor: str,
    areas: Sequence[str] = (),
    zones: Sequence[str] = (),
    types: Sequence[str] = (),
) -> TestMode:
    """A test asked for in writing, of any length, with the paper it rests on (S20.1)."""
    with transaction.atomic():
        site = lock_site(site_id)
        if not reason.strip():
            raise Refused([Fault("reason", "missing", "a test has a reason", "S20.1")])
        if until <= now:
            raise Refused(
                [Fault("until", "past", "expected a time that is still to come", "S20.1")]
            )
        known(site, areas, zones)
        return contracts.start_test(
            site, until, now, by=by, reason=reason, in_writing=True, document=document,
            areas=areas, zones=zones, types=types, actor=actor,
        )  # fmt: skip


def known(site: Site, areas: Iterable[str], zones: Iterable[str]) -> None:
    """A test of what is not on the sheet would test nothing: refused, naming what there is."""
    rows = list(site.zones.values_list("number", "area"))
    faults = []
    for field, asked, there in (
        ("zones", zones, {number for number, _ in rows}),
        ("areas", areas, {area for _, area in rows if area}),
    ):
        strange = sorted(set(asked) - there)
        if strange:
            numbers = {"found": ", ".join(strange), "expected": ", ".join(sorted(there))}
            faults.append(Fault(field, "choice", "not on the sheet", "S20.1", numbers))
    if faults:
        raise Refused(faults)


@transaction.atomic
def end_test(test: TestMode, now: datetime, *, by: str = "", actor: str = journal.SYSTEM) -> None:
    """The test ends; unrestored fire, medical and hold-up signals open incidents (S20.1)."""
    site = lock_site(test.site_id)
    # read again under the lock: somebody else may have ended it
    test = TestMode.objects.get(pk=test.pk)
    test.site = site
    if test.ended_at is not None:
        return
    facts = site_facts(site, now)
    sent = _signals_of(test, facts)
    left = _unrestored(sent)
    contracts.finish_test(test, now, _summary(sent, left), by=by, actor=actor)
    facts = site_facts(site, now)
    if facts.terms.test_mode.summary_mail:
        docket = Docket(site, facts, now, actor=actor)
        papers = () if test.document_id is None else (int(test.document_id),)
        mail = Mail("customer", "test_summary", "S20.1", {"count": len(sent)}, papers)
        docket.carry_out([mail])
    first_of_type: dict[str, SignalFacts] = {}
    for signal in left:
        if signal.type in facts.terms.test_mode.reopen_types:
            first_of_type.setdefault(signal.type, signal)
    for signal in first_of_type.values():
        _reopen(signal, site, facts, now)


def _reopen(signal: SignalFacts, site: Site, facts: SiteFacts, now: datetime) -> None:
    if Incident.objects.filter(site=site, type=signal.type, closed_at=None).exists():
        return
    acts = verdicts.left_in_test(signal, facts, now)
    if acts:
        Docket(site, facts, now, signal_id=signal.id).carry_out(acts)


def _signals_of(test: TestMode, facts: SiteFacts) -> list[SignalFacts]:
    """What came in the test and was kept by it, oldest first, with the sheet's types."""
    ids = Verdict.objects.filter(
        site_id=test.site_id, reason="test", at__gte=test.started_at
    ).values_list("signal_id", flat=True)
    rows = Signal.objects.filter(
        pk__in=list(ids), site_id=test.site_id, received_at__gte=test.started_at
    )
    return [verdicts.with_sheet(signal_facts(row), facts) for row in rows.order_by("id")]


def _unrestored(sent: Iterable[SignalFacts]) -> list[SignalFacts]:
    """The last signal per type and zone that was not restored in the test."""
    left: dict[tuple[str, str], SignalFacts] = {}
    for signal in sent:
        if signal.role == "event":
            left[signal.type, signal.zone or ""] = signal
        elif signal.role == "restore":
            left = {key: row for key, row in left.items() if not _restores(signal, key)}
    return list(left.values())


def _restores(signal: SignalFacts, key: tuple[str, str]) -> bool:
    kind, zone = key
    return kind == signal.restores_type and (not signal.zone or zone in ("", signal.zone))


def _summary(sent: Sequence[SignalFacts], left: Sequence[SignalFacts]) -> dict[str, Any]:
    """What came, by code, zone and area, and what was not restored."""
    zones = Counter(signal.zone for signal in sent if signal.zone)
    areas = Counter(signal.area for signal in sent if signal.area)
    counted = {
        "codes": dict(sorted(Counter(signal.code for signal in sent).items())),
        "zones": dict(sorted(zones.items())),
        "areas": dict(sorted(areas.items())),
        "unrestored": [
            {"type": signal.type, "zone": signal.zone or "", "code": signal.code}
            for signal in left[:_SHOWN]
        ],
    }
    return {"signals": len(sent), **{key: value for key, value in counted.items() if value}}
