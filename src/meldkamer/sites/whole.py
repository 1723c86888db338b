"""Brings a whole site in at once: the import, the demo and a site of one's own.

A site is known again by the accounts of its transmitters, so bringing it in twice changes only what
differs. Part of the writing of master data (see `sites.commands`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction

from meldkamer.sites import checking, commands, numbers, sheet_commands
from meldkamer.sites.drafts import ContactDraft, CustomerDraft, InstallerDraft, WholeSite, ZoneDraft
from meldkamer.sites.faults import Fault, Refused
from meldkamer.sites.models import Contact, Customer, Installer, Provider, Site, Transmitter, Zone

NEW, CHANGED, SAME = "new", "changed", "same"


@transaction.atomic
def bring(provider: Provider, draft: WholeSite, now: datetime, actor: str) -> tuple[Site, str]:
    """Enter or change a site with everything; (site, "new", "changed" or "same").

    Raises Refused with all faults; then nothing was stored.
    """
    draft, keys, faults = checking.whole(draft, commands.terms_of(provider))
    if faults:
        raise Refused(faults)
    known, faults = _known(provider, draft)
    if faults:
        raise Refused(faults)
    if known is None:
        return _enter(provider, draft, keys, now, actor), NEW
    with numbers.noted(known, now, actor):
        done = _change(known, draft, keys, now, actor)
    return known, CHANGED if done else SAME


def _known(provider: Provider, draft: WholeSite) -> tuple[Site | None, list[Fault]]:
    """The site these accounts dial in for; faults when they are another's or of several."""
    faults: list[Fault] = []
    sites: dict[int, Site] = {}
    for index, one in enumerate(draft.transmitters):
        row = (
            Transmitter.objects.filter(
                active=True, protocol="dc09", receiver=one.receiver, line=one.line,
                account=one.account,
            )
            .select_related("site__provider", "site__customer")
            .first()
        )  # fmt: skip
        if row is None:
            continue
        if row.site.provider_id != provider.pk:
            faults += commands.free_account(one, None, f"transmitter.{index + 1}")
        sites[row.site_id] = row.site
    if len(sites) > 1 and not faults:
        faults.append(
            Fault("transmitter", "accounts_of_several", "the accounts belong to several sites")
        )
    return next(iter(sites.values()), None), faults


def _enter(
    provider: Provider,
    draft: WholeSite,
    keys: Sequence[bytes | None],
    now: datetime,
    actor: str,
) -> Site:
    customer = _customer(provider, draft.customer, now, actor)
    installer = _installer(provider, draft.installer, now, actor)
    site = Site.objects.create(
        provider=provider, customer=customer, installer=installer, created_at=now,
        **commands.columns(draft.site),
    )  # fmt: skip
    for one, key in zip(draft.transmitters, keys, strict=True):
        Transmitter.objects.create(site=site, **commands.columns(one), **commands.sealed(key))
    Zone.objects.bulk_create(Zone(site=site, **commands.columns(z)) for z in draft.zones)
    Contact.objects.bulk_create(
        Contact(site=site, position=position, **commands.columns(contact))
        for position, contact in enumerate(draft.contacts, start=1)
    )
    told = {
        "plan": site.plan, "formula": site.formula, "options": site.options,
        "left_out_signed": draft.site.left_out_signed,
        "accounts": [one.account for one in draft.transmitters],
        "zones": len(draft.zones), "contacts": [contact.name for contact in draft.contacts],
    }  # fmt: skip
    commands.write_change("site.entered", now, actor, provider.pk, told, site=site, to=site.name)
    numbers.note_new(site, now, actor)
    if draft.hours:
        commands.set_hours(site, draft.hours, now, actor)
    commands.tell_receivers()
    return site


def _customer(provider: Provider, draft: CustomerDraft, now: datetime, actor: str) -> Customer:
    """The customer of that name and mail, else a new one."""
    known = Customer.objects.filter(provider=provider, name=draft.name, email=draft.email).first()
    if known is None:
        return commands.enter_customer(provider, draft, now, actor)
    commands.change_customer(known, draft, now, actor)
    return known


def _installer(
    provider: Provider, draft: InstallerDraft | None, now: datetime, actor: str
) -> Installer | None:
    if draft is None:
        return None
    known = Installer.objects.filter(provider=provider, name=draft.name).first()
    if known is None:
        return commands.enter_installer(provider, draft, now, actor)
    commands.change_installer(known, draft, now, actor)
    return known


def _change(
    site: Site, draft: WholeSite, keys: Sequence[bytes | None], now: datetime, actor: str
) -> bool:
    done = [commands.change_customer(site.customer, draft.customer, now, actor)]
    installer = _installer(site.provider, draft.installer, now, actor) or site.installer
    done.append(_change_contacts(site, draft.contacts, now, actor))
    if draft.hours or site.hours.exists():
        _make_room_for_hours(site, draft, now, actor)
        done.append(commands.set_hours(site, draft.hours, now, actor))
    done.append(commands.change_site(site, installer, draft.site, now, actor))
    done.append(_change_zones(site, draft.zones, now, actor))
    for one, key in zip(draft.transmitters, keys, strict=True):
        done.append(_change_transmitter(site, one, key, now, actor))
    return any(done)


def _make_room_for_hours(site: Site, draft: WholeSite, now: datetime, actor: str) -> None:
    """The plan that allows hours comes before the hours, and they go before it does."""
    if draft.hours and draft.site.plan != site.plan:
        commands.change_site(site, site.installer, draft.site, now, actor)


def _change_transmitter(
    site: Site, draft: Any, key: bytes | None, now: datetime, actor: str
) -> bool:
    row = Transmitter.objects.filter(
        site=site, active=True, receiver=draft.receiver, line=draft.line, account=draft.account
    ).first()
    if row is None:
        commands.add_transmitter(site, draft, now, actor)
        return True
    if key is not None and commands.same_key(row, key):
        draft = replace(draft, key="")
    return commands.change_transmitter(row, draft, now, actor)


def _change_zones(site: Site, drafts: Sequence[ZoneDraft], now: datetime, actor: str) -> bool:
    rows = {row.number: row for row in site.zones.all()}
    done = False
    for draft in drafts:
        row = rows.pop(draft.number, None)
        if row is None or commands.changed(row, commands.columns(draft)):
            sheet_commands.put_zone(site, draft, now, actor, row)
            done = True
    for row in rows.values():
        sheet_commands.remove_zone(row, now, actor)
        done = True
    return done


def _change_contacts(site: Site, drafts: Sequence[ContactDraft], now: datetime, actor: str) -> bool:
    """The list in the order of the file; a contact is known again by his name, his code stays."""
    rows = {row.name: row for row in site.contacts.all()}
    done = False
    for position, draft in enumerate(drafts, start=1):
        row = rows.pop(draft.name, None)
        if row is None:
            row = Contact.objects.create(site=site, position=position, **commands.columns(draft))
            commands.write_change("contact.added", now, actor, site.provider_id,
                                  {"phone": draft.phone}, site=site, to=row.name)  # fmt: skip
            done = True
            continue
        done = sheet_commands.change_contact(row, draft, now, actor) or done
        if row.position != position:
            change = commands.apply(row, {"position": position})
            commands.write_change("contact.moved", now, actor, site.provider_id, change,
                                  site=site, to=row.name)  # fmt: skip
            done = True
    for row in rows.values():
        commands.write_change("contact.removed", now, actor, site.provider_id,
                              {"phone": row.phone}, site=site, to=row.name)  # fmt: skip
        row.delete()
        done = True
    return done
