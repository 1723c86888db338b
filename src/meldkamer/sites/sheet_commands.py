"""Zones and the call list of a site: part of the writing of master data (see `sites.commands`).

A contact removed takes his code with him; the last one of a watched site stays (S4.4). Positions on
the call list are 1, 2, 3 … without a gap.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import models, transaction

from meldkamer.rules import sheets
from meldkamer.sites import checking, numbers
from meldkamer.sites.commands import apply, columns, plain, refuse, terms_of, write_change
from meldkamer.sites.drafts import ContactDraft, ZoneDraft
from meldkamer.sites.faults import Fault, from_finding
from meldkamer.sites.models import Contact, Site, Zone


@transaction.atomic
def put_zone(
    site: Site, draft: ZoneDraft, now: datetime, actor: str, row: Zone | None = None
) -> Zone:
    """Add a zone, or change `row`."""
    draft, faults = checking.zone(draft)
    others = Zone.objects.filter(site=site, number=draft.number)
    if not faults and others.exclude(pk=row.pk if row else 0).exists():
        faults = [Fault("number", "twice", f"zone {draft.number} is there already",
                        numbers={"found": draft.number})]  # fmt: skip
    refuse(faults)
    if row is None:
        row = Zone.objects.create(site=site, **columns(draft))
        change: dict[str, Any] = columns(draft)
        what = "zone.added"
    else:
        change, what = dict(apply(row, columns(draft))), "zone.changed"
    if change:
        write_change(what, now, actor, site.provider_id, change, site=site, to=str(row))
    return row


@transaction.atomic
def remove_zone(row: Zone, now: datetime, actor: str) -> None:
    """A zone that is no more; its signals stay."""
    values = {name: getattr(row, name) for name in ("number", "name", "detector", "kind")}
    write_change("zone.removed", now, actor, row.site.provider_id, values,
                 site=row.site, to=str(row))  # fmt: skip
    row.delete()


def lock_list(site: Site) -> Site:
    """The site's call list may be changed by one at a time."""
    return Site.objects.select_for_update(no_key=True).get(pk=site.pk)


@transaction.atomic
def add_contact(site: Site, draft: ContactDraft, now: datetime, actor: str) -> Contact:
    """A contact at the end of the call list; one too many for the plan is refused (S17.1)."""
    lock_list(site)
    draft, faults = checking.contact(draft)
    count = site.contacts.count() + 1
    findings = sheets.check(
        site.plan, site.formula, None, count, False, (), terms_of(site.provider)
    )
    faults += [
        replace(from_finding(f), field="name")
        for f in findings
        if f.refused and f.item == "contacts"
    ]
    refuse(faults)
    last = site.contacts.aggregate(most=models.Max("position"))["most"] or 0
    with numbers.noted(site, now, actor):
        row = Contact.objects.create(site=site, position=last + 1, **columns(draft))
        told = {name: plain(value) for name, value in columns(draft).items()}
        write_change("contact.added", now, actor, site.provider_id, told, site=site, to=row.name)
    return row


@transaction.atomic
def change_contact(row: Contact, draft: ContactDraft, now: datetime, actor: str) -> bool:
    """Change a contact; False when nothing differs."""
    draft, faults = checking.contact(draft)
    refuse(faults)
    with numbers.noted(row.site, now, actor):
        change = apply(row, columns(draft))
        if change:
            write_change("contact.changed", now, actor, row.site.provider_id, change,
                         site=row.site, to=row.name)  # fmt: skip
    return bool(change)


@transaction.atomic
def move_contact(row: Contact, by: int, now: datetime, actor: str) -> bool:
    """One place up (-1) or down (+1) on the call list."""
    lock_list(row.site)
    order = list(row.site.contacts.order_by("position"))
    place = order.index(row)
    other = place + by
    if not 0 <= other < len(order):
        return False
    order[place], order[other] = order[other], order[place]
    with numbers.noted(row.site, now, actor):
        _renumber(order)
        write_change("contact.moved", now, actor, row.site.provider_id,
                     {"position": [place + 1, other + 1]}, site=row.site, to=row.name)  # fmt: skip
    return True


def _renumber(order: Iterable[Contact]) -> None:
    for position, contact in enumerate(order, start=1):
        if contact.position != position:
            contact.position = position
            contact.save(update_fields=["position"])


@transaction.atomic
def remove_contact(row: Contact, now: datetime, actor: str) -> None:
    """A contact leaves the list; his code is void with him. The last of a list stays (S4.4)."""
    site = lock_list(row.site)
    if site.in_force_from is not None and site.contacts.count() == 1:
        refuse([Fault("name", "contacts_none", "the last contact of a watched site", "S4.4")])
    values = {name: plain(getattr(row, name)) for name in ("position", "name", "phone", "email")}
    with numbers.noted(site, now, actor):
        write_change(
            "contact.removed", now, actor, site.provider_id, values, site=site, to=row.name
        )
        row.delete()
        _renumber(site.contacts.order_by("position"))
