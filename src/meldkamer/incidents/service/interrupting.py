"""Monitoring is interrupted for a cause, and goes on: the state, and the customer told (D908.1).

The state and its rules are `contracts.interruptions`; here the site is locked and what is sent goes
with it in one transaction.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from meldkamer.contracts import interruptions
from meldkamer.contracts.models import Document, Interruption
from meldkamer.incidents.deciding.carry_out import Docket
from meldkamer.incidents.deciding.facts import site_facts
from meldkamer.incidents.locking import lock_site
from meldkamer.rules.acts import Mail


@transaction.atomic
def interrupt(
    site_id: int,
    cause: str,
    reason: str,
    now: datetime,
    *,
    actor: str,
    notice_at: datetime | None = None,
    notice_way: str = "",
    document: Document | None = None,
) -> Interruption:
    """Interrupt monitoring; sites.faults.Refused when the rules say no."""
    site = lock_site(site_id)
    facts = site_facts(site, now)
    row = interruptions.interrupt(
        site, cause, reason, facts.terms, now,
        actor=actor, notice_at=notice_at, notice_way=notice_way, document=document,
    )  # fmt: skip
    docket = Docket(site, facts, now, actor=actor)
    # the notice that it rests on goes with it, so the customer has both in one hand
    papers = () if document is None else (int(document.pk),)
    docket.carry_out([Mail("customer", "interrupted", "D908.1", {"cause": cause}, papers)])
    return row


@transaction.atomic
def resume(
    interruption_id: int,
    reason: str,
    now: datetime,
    *,
    actor: str,
    document: Document | None = None,
) -> None:
    """Monitoring goes on; after needless alarms on evidence alone (S12.2)."""
    site_id = Interruption.objects.values_list("site_id", flat=True).get(pk=interruption_id)
    site = lock_site(site_id)
    row = Interruption.objects.get(pk=interruption_id)
    row.site = site
    interruptions.resume(row, reason, now, actor=actor, document=document)
    if row.clause == "D908.1":
        docket = Docket(site, site_facts(site, now), now, actor=actor)
        docket.carry_out([Mail("customer", "resumed", "D908.1", {"cause": row.kind})])
