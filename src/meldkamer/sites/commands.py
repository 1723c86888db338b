"""The only writer of master data: customers, installers, sites, transmitters and hours here,
zones and the call list in `sheet_commands`, a whole site at once in `whole`.

Every change is journaled with who made it and the old and new values (S22.1). A transmitter key is
sealed here and never leaves again; what is journaled of it is its length. Receivers are told at
commit, so that a new transmitter may dial in at once. Raises `Refused` with all faults; then
nothing was stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime, time
from typing import Any

from django.conf import settings
from django.db import connection, models, transaction

from meldkamer.journal import commands as journal
from meldkamer.sites import checking, numbers, sealing
from meldkamer.sites.drafts import (
    CustomerDraft,
    HoursDraft,
    InstallerDraft,
    SiteDraft,
    TransmitterDraft,
)
from meldkamer.sites.faults import Fault, Refused
from meldkamer.sites.models import (
    Customer,
    Installer,
    OpeningHours,
    Provider,
    Site,
    Transmitter,
)
from meldkamer.terms.loader import load
from meldkamer.terms.model import Terms

TRANSMITTERS = "meldkamer_transmitters"
CLAUSE = "S22.1"
#: what a draft holds that is no column of the table
_NOT_STORED = ("key", "plain", "left_out_signed")


def terms_of(provider: Provider) -> Terms:
    """The terms that a provider's new sheets are made under."""
    return load(provider.terms)


def refuse(faults: Sequence[Fault]) -> None:
    """Raise all faults at once; nothing when there are none."""
    if faults:
        raise Refused(faults)


def columns(draft: Any) -> dict[str, Any]:
    """A draft as column values."""
    values = {name: value for name, value in asdict(draft).items() if name not in _NOT_STORED}
    for name in ("types", "options", "test_times"):
        if isinstance(values.get(name), tuple):
            values[name] = list(values[name])
    return values


def plain(value: Any) -> Any:
    """A value as the journal keeps it."""
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return value.isoformat() if isinstance(value, (date, datetime, time)) else value


def changed(row: models.Model, values: Mapping[str, Any]) -> dict[str, list[Any]]:
    """{column: [old, new]} for what would change."""
    return {
        name: [plain(getattr(row, name)), plain(value)]
        for name, value in values.items()
        if getattr(row, name) != value
    }


def write_change(
    what: str,
    now: datetime,
    actor: str,
    provider_id: int,
    change: Mapping[str, Any],
    *,
    site: Site | None = None,
    to: str = "",
    reason: str = "",
) -> None:
    """Journal a change of master data, old values kept (S22.1); a site's screens are told."""
    journal.write(
        what, now, provider_id=provider_id, site_id=site.pk if site else None, clause=CLAUSE,
        to=to[:120], reason=reason, actor=actor, data={"change": dict(change)},
    )  # fmt: skip
    if site is not None:
        journal.announce(f"site:{site.pk}")


def apply(row: models.Model, values: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Store the values that differ; what changed, empty when nothing did."""
    change = changed(row, values)
    if change:
        for name in change:
            setattr(row, name, values[name])
        row.save(update_fields=list(change))
    return change


def tell_receivers() -> None:
    """Receivers read the transmitters again when this transaction commits."""
    with connection.cursor() as cursor:
        cursor.execute(f"NOTIFY {TRANSMITTERS}")


@transaction.atomic
def enter_customer(provider: Provider, draft: CustomerDraft, now: datetime, actor: str) -> Customer:
    """A new customer."""
    draft, faults = checking.party(draft)
    refuse(faults)
    customer = Customer.objects.create(provider=provider, **columns(draft))
    write_change("customer.entered", now, actor, provider.pk, columns(draft), to=draft.name)
    return customer


@transaction.atomic
def change_customer(customer: Customer, draft: CustomerDraft, now: datetime, actor: str) -> bool:
    """Change a customer; False when nothing differs."""
    draft, faults = checking.party(draft)
    refuse(faults)
    change = apply(customer, columns(draft))
    if change:
        write_change("customer.changed", now, actor, customer.provider_id, change, to=customer.name)
    return bool(change)


@transaction.atomic
def enter_installer(
    provider: Provider, draft: InstallerDraft, now: datetime, actor: str
) -> Installer:
    """A new installer."""
    draft, faults = checking.party(draft)
    refuse(faults)
    installer = Installer.objects.create(provider=provider, **columns(draft))
    write_change("installer.entered", now, actor, provider.pk, columns(draft), to=draft.name)
    return installer


@transaction.atomic
def change_installer(
    installer: Installer, draft: InstallerDraft, now: datetime, actor: str
) -> bool:
    """Change an installer; False when nothing differs."""
    draft, faults = checking.party(draft)
    refuse(faults)
    change = apply(installer, columns(draft))
    if change:
        write_change(
            "installer.changed", now, actor, installer.provider_id, change, to=installer.name
        )
    return bool(change)


@transaction.atomic
def enter_site(
    customer: Customer,
    installer: Installer | None,
    draft: SiteDraft,
    now: datetime,
    actor: str,
) -> Site:
    """A new site with its sheet; contacts, zones and transmitter follow. Not yet in force."""
    provider = customer.provider
    draft, faults = checking.site(draft, None, False, terms_of(provider))
    refuse(faults + _same_house(customer, installer))
    site = Site.objects.create(
        provider=provider, customer=customer, installer=installer, created_at=now, **columns(draft)
    )
    write_change("site.entered", now, actor, provider.pk, _told(draft), site=site, to=site.name)
    numbers.note_new(site, now, actor)
    return site


@transaction.atomic
def change_site(
    site: Site, installer: Installer | None, draft: SiteDraft, now: datetime, actor: str
) -> bool:
    """Change a site's data or sheet; a sheet that its plan forbids is refused with the clause."""
    hours = OpeningHours.objects.filter(site=site).exists()
    draft, faults = checking.site(draft, site.contacts.count() or None, hours,
                                  terms_of(site.provider))  # fmt: skip
    refuse(faults + _same_house(site.customer, installer))
    values = {**columns(draft), "installer_id": installer.pk if installer else None}
    with numbers.noted(site, now, actor):
        change = apply(site, values)
    if change:
        signed = {"left_out_signed": draft.left_out_signed} if "types" in change else {}
        write_change("sheet.changed", now, actor, site.provider_id, {**change, **signed},
                     site=site, to=site.name)  # fmt: skip
    return bool(change)


@transaction.atomic
def set_installer(site: Site, installer: Installer, now: datetime, actor: str) -> bool:
    """The installer of a site, who is told of its faults (S10.3, S10.5)."""
    refuse(_same_house(site.customer, installer))
    change = apply(site, {"installer_id": installer.pk})
    if change:
        write_change("sheet.changed", now, actor, site.provider_id, change, site=site, to=site.name)
    return bool(change)


def _told(draft: SiteDraft) -> dict[str, Any]:
    """What the journal keeps of a new sheet: the columns and the signed tick (S6.3)."""
    values = {name: plain(value) for name, value in columns(draft).items()}
    return {**values, "left_out_signed": draft.left_out_signed}


def _same_house(customer: Customer, installer: Installer | None) -> list[Fault]:
    if installer is not None and installer.provider_id != customer.provider_id:
        return [Fault("installer", "foreign", "belongs to another provider")]
    return []


def free_account(draft: TransmitterDraft, but: Transmitter | None, where: str = "") -> list[Fault]:
    """An account dials in for one site only, whatever its leading zeros."""
    taken = Transmitter.objects.filter(
        active=True, protocol="dc09", receiver=draft.receiver, line=draft.line,
        account=draft.account,
    )  # fmt: skip
    if but is not None:
        taken = taken.exclude(pk=but.pk)
    if not taken.exists():
        return []
    name = f"{where}.account" if where else "account"
    return [Fault(name, "account_taken", f"account {draft.account} is in use by another site",
                  numbers={"found": draft.account})]  # fmt: skip


def sealed(key: bytes | None) -> dict[str, Any]:
    """The columns of a key; without one nothing changes."""
    if key is None:
        return {}
    return {
        "key_sealed": sealing.seal(key, settings.MELDKAMER_SEALING_KEY),
        "key_bits": len(key) * 8,
    }


def same_key(row: Transmitter, key: bytes) -> bool:
    """Whether a transmitter has this key already; what is sealed differs each time."""
    if row.key_sealed is None:
        return False
    return sealing.unseal(bytes(row.key_sealed), settings.MELDKAMER_SEALING_KEY) == key


def _key_told(draft: TransmitterDraft, key: bytes | None) -> dict[str, Any]:
    if draft.plain and key is None:
        return {"key": "none"}
    return {"key": f"{len(key) * 8} bits"} if key is not None else {}


@transaction.atomic
def add_transmitter(site: Site, draft: TransmitterDraft, now: datetime, actor: str) -> Transmitter:
    """A transmitter that may dial in from the commit on."""
    draft, key, faults = checking.transmitter(draft)
    refuse(faults or free_account(draft, None))
    row = Transmitter.objects.create(site=site, **columns(draft), **sealed(key))
    told = {**columns(draft), **_key_told(draft, key)}
    write_change("transmitter.added", now, actor, site.provider_id, told, site=site, to=row.account)
    tell_receivers()
    return row


@transaction.atomic
def change_transmitter(
    row: Transmitter, draft: TransmitterDraft, now: datetime, actor: str
) -> bool:
    """Change a transmitter; an empty key keeps the old one, `plain` forgets it."""
    draft, key, faults = checking.transmitter(draft)
    refuse(faults or free_account(draft, row))
    change: dict[str, Any] = dict(apply(row, columns(draft)))
    if key is not None or (draft.plain and row.key_sealed is not None):
        values = sealed(key) or {"key_sealed": None, "key_bits": None}
        for name, value in values.items():
            setattr(row, name, value)
        row.save(update_fields=list(values))
        change |= _key_told(draft, key)
    if change:
        write_change("transmitter.changed", now, actor, row.site.provider_id, change,
                     site=row.site, to=row.account)  # fmt: skip
        tell_receivers()
    return bool(change)


@transaction.atomic
def retire_transmitter(row: Transmitter, now: datetime, actor: str) -> None:
    """It may no longer dial in; its history stays."""
    row.active = False
    row.save(update_fields=["active"])
    write_change("transmitter.retired", now, actor, row.site.provider_id, {},
                 site=row.site, to=row.account)  # fmt: skip
    tell_receivers()


@transaction.atomic
def set_hours(site: Site, drafts: Sequence[HoursDraft], now: datetime, actor: str) -> bool:
    """The opening hours of a site, all of them (S11.1); refused on a plan without open/close."""
    faults = [f for n, d in enumerate(drafts) for f in checking.hours(d, f"open_close.{n + 1}")]
    terms = terms_of(site.provider)
    if drafts and not terms.plans[site.plan].open_close:
        label = terms.plans[site.plan].label
        faults.append(Fault("open_close", "open_close_not_taken", f"plan {label} has no open/close",
                            "S11.1", {"plan": label}))  # fmt: skip
    refuse(faults)
    old = [_hours_told(row) for row in OpeningHours.objects.filter(site=site).order_by("pk")]
    new = [_hours_told(draft) for draft in drafts]
    if old == new:
        return False
    OpeningHours.objects.filter(site=site).delete()
    OpeningHours.objects.bulk_create(OpeningHours(site=site, **columns(d)) for d in drafts)
    write_change("hours.changed", now, actor, site.provider_id, {"hours": [old, new]}, site=site)
    return True


def _hours_told(row: HoursDraft | OpeningHours) -> dict[str, Any]:
    names = ("area", "weekday", "on_date", "opens", "closes", "margin_s", "repeat_s")
    return {name: plain(getattr(row, name)) for name in names}
