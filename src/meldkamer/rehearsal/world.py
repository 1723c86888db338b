"""A story's sites as real rows, in the caller's transaction, and the scripted people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Max

from meldkamer.contracts import commands as contracts
from meldkamer.contracts import needless
from meldkamer.contracts.models import Handling
from meldkamer.incidents.models import Incident
from meldkamer.journal import commands as journal
from meldkamer.journal.models import Entry
from meldkamer.notify.models import PatrolUnit
from meldkamer.people.codes import CodeFault, code_mac
from meldkamer.people.models import Staff
from meldkamer.receivers.directory import Directory, Transmitter, triple
from meldkamer.rehearsal.faults import StoryFault
from meldkamer.rehearsal.sheets import address, opening_hours, seconds, zone
from meldkamer.rehearsal.story import (
    FORCE_KINDS,
    ContactPart,
    Person,
    SitePart,
    Story,
    clock,
)
from meldkamer.rules import sheets
from meldkamer.rules.procedures import Step
from meldkamer.sites import models, sheet_changes
from meldkamer.sites.phones import PhoneFault, normal
from meldkamer.terms.loader import load
from meldkamer.terms.model import Terms
from meldkamer.watch import commands as watch
from meldkamer.watch import hours

if TYPE_CHECKING:
    from meldkamer.rehearsal.changing import Asked


@dataclass
class World:
    """What a story is played in."""

    story: Story
    terms: Terms
    provider: models.Provider
    sites: dict[str, models.Site] = field(default_factory=dict)
    contacts: dict[int, ContactPart] = field(default_factory=dict)
    premises: dict[int, Person] = field(default_factory=dict)
    # those a procedure calls by number: by site and name
    others: dict[tuple[int, str], Person] = field(default_factory=dict)
    # instead of the script: how somebody answers in an incident, for a past that is played again
    answers: Callable[[Incident, Step], tuple[str, str, str, str]] | None = None
    operators: list[Staff] = field(default_factory=list)
    directory: Directory = field(default_factory=Directory)
    accounts: dict[int, str] = field(default_factory=dict)
    # changes of the sheet whose people are scripted, until they are over
    asked: list[Asked] = field(default_factory=list)
    force_facts: dict[int, set[str]] = field(default_factory=dict)
    sequence: int = 0
    # frames that were answered with an ACK: when, and their bytes
    acknowledged: list[tuple[datetime, bytes]] = field(default_factory=list)
    # entries of the journal before the story are not its own
    first_entry: int = 0

    def site_of(self, name: str) -> models.Site:
        """The site of an event; the only one when it names none."""
        return self.sites[name] if name else next(iter(self.sites.values()))

    def contact_named(self, name: str, site: models.Site | None = None) -> models.Contact | None:
        """A contact of that name, at a site or anywhere."""
        rows = models.Contact.objects.filter(name=name)
        if site is not None:
            rows = rows.filter(site=site)
        return rows.order_by("id").first()

    def phone_of(self, name: str) -> str:
        """The number of somebody who is on no list any more; a name nobody has is a number."""
        phones = [part.phone for part in self.contacts.values() if part.name == name and part.phone]
        return phones[-1] if phones else name


def build(story: Story) -> World:
    """Rows for everything the story describes, at its start."""
    parts, now = story.parts, story.start
    terms = load(story.terms)
    provider = models.Provider.objects.create(
        slug="rehearsal",
        name=terms.house.name,
        terms=terms.name,
        office_email="office@rehearsal.invalid",
        emergency_phone=terms.house.emergency_phone,
    )
    world = World(story, terms, provider)
    world.first_entry = Entry.objects.aggregate(last=Max("id"))["last"] or 0
    for number in range(parts.operators):
        staff = Staff.objects.create(username=f"operator {number + 1}", role=Staff.Role.OPERATOR)
        staff.providers.add(provider)
        world.operators.append(staff)
    entries = []
    for number, part in enumerate(parts.site):
        site = _site(world, part, number, now)
        account = part.account or f"{0xA000 + number:04X}"
        row = models.Transmitter.objects.create(site=site, account=account)
        world.accounts[site.pk] = account
        watch.watch_line_tests(site, now, now)
        entries.append((triple("", "", account), Transmitter(row.pk, site.pk)))
    world.directory = Directory(entries)
    _patrols(world, now)
    return world


def _site(world: World, part: SitePart, number: int, now: datetime) -> models.Site:
    refused = _check_sheet(world, part)
    customer = models.Customer.objects.create(
        provider=world.provider,
        name=part.contact[0].name if part.contact else part.name,
        kind=part.customer,
        language=part.language,
        email=(part.contact[0].email if part.contact else "") or "customer@rehearsal.invalid",
    )
    installer = models.Installer.objects.create(
        provider=world.provider,
        name=part.installer.name,
        email=part.installer.email or "installer@rehearsal.invalid",
        language=part.language,
    )
    street, postal_code, town = address(part.address)
    test_period_s = seconds(part.test_period)
    site = models.Site.objects.create(
        provider=world.provider,
        customer=customer,
        installer=installer,
        name=part.name,
        street=street,
        postal_code=postal_code,
        town=town,
        latitude=part.position[0] if part.position else None,
        longitude=part.position[1] if part.position else None,
        language=part.language,
        plan=part.plan,
        formula=part.formula,
        types=_types(world, part, refused),
        options=list(part.options),
        premises_phone=_phone(world, part.premises.phone),
        premises_person=part.premises.name,
        test_period_s=test_period_s,
        test_times=sorted(clock(text) for text in part.test_times),
        power_delay_s=seconds(part.power_delay),
        test_wait_s=_wait_s(part, test_period_s, world.terms),
        in_force_from=None if _has_force_events(world, part) else now,
        contract_start=part.contract.start if part.contract else None,
        created_at=now,
    )
    world.sites[part.name] = site
    world.premises[site.pk] = part.premises
    world.force_facts[site.pk] = set()
    _contacts(world, site, part, refused, now)
    for one in part.zone:
        models.Zone.objects.create(site=site, **zone(one))
    _procedures(world, site, part, now)
    _service_state(world, site, part, refused, now)
    return site


def _procedures(world: World, site: models.Site, part: SitePart, now: datetime) -> None:
    """What the sheet changes of the procedures; what the law forbids is refused and left (R30)."""
    world.others |= {(site.pk, person.name): person for person in part.other}
    for name, written in part.procedures.items():
        refused = sheet_changes.put_procedure(site, name, written, now, by="customer")
        _tell_refused(site, refused, now)


def _tell_refused(site: models.Site, refused: list[sheets.Finding], now: datetime) -> None:
    for finding in refused:
        journal.write(
            "sheet.refused",
            now,
            provider_id=site.provider_id,
            site_id=site.pk,
            clause=finding.clause,
            reason=finding.reason,
        )


def _check_sheet(world: World, part: SitePart) -> list[sheets.Finding]:
    findings = sheets.check(
        part.plan,
        part.formula,
        part.types,
        len(part.contact),
        bool(part.open_close),
        part.options,
        world.terms,
    )
    return [finding for finding in findings if finding.refused]


def _types(world: World, part: SitePart, refused: list[sheets.Finding]) -> list[str] | None:
    """The selection; what the plan has no room for is left out (R30, S6.3)."""
    if part.types is None:
        return None
    chosen: list[str] = list(dict.fromkeys(part.types))
    if any(finding.item == "types" for finding in refused):
        chosen = chosen[: world.terms.plans[part.plan].types_max]
    return chosen


def _wait_s(part: SitePart, period_s: int | None, terms: Terms) -> int | None:
    """The waiting time: the sheet's, else the terms' for the period (S10.3)."""
    if part.test_wait:
        return seconds(part.test_wait)
    if period_s is None:
        return None
    table = terms.line_test.wait_s_by_period_s
    return next((wait for period, wait in table if period_s <= period), table[-1][1])


def _has_force_events(world: World, part: SitePart) -> bool:
    alone = len(world.story.parts.site) == 1
    return any(
        kind in FORCE_KINDS and (event.site == part.name or (alone and not event.site))
        for _, event, kind in world.story.events
    )


def _phone(world: World, text: str) -> str:
    try:
        return normal(text)
    except PhoneFault as fault:
        raise StoryFault(world.story.path, None, "phone", str(fault)) from None


def _contacts(
    world: World,
    site: models.Site,
    part: SitePart,
    refused: list[sheets.Finding],
    now: datetime,
) -> None:
    chosen = part.contact
    if any(finding.item == "contacts" for finding in refused):
        chosen = chosen[: world.terms.plans[part.plan].contacts]
    for position, contact in enumerate(chosen, start=1):
        row = models.Contact.objects.create(
            site=site,
            position=position,
            name=contact.name,
            phone=_phone(world, contact.phone),
            email=contact.email,
            language=contact.language or part.language,
        )
        world.contacts[row.pk] = contact
        give_code(world, row, contact.code, now)


def give_code(world: World, row: models.Contact, code: str, now: datetime) -> None:
    """A scripted contact has the code of the story; somebody on two lists has it once."""
    if not code or row.codes.filter(duress=False).exists():
        return
    try:
        mac = code_mac(code, world.provider.pk, settings.MELDKAMER_CODE_PEPPER)
    except CodeFault as fault:
        raise StoryFault(world.story.path, None, "code", str(fault)) from None
    models.IdentificationCode.objects.get_or_create(
        provider=world.provider, code_mac=mac, defaults={"contact": row, "issued_at": now}
    )


def _service_state(
    world: World,
    site: models.Site,
    part: SitePart,
    refused: list[sheets.Finding],
    now: datetime,
) -> None:
    if part.activated is not None:
        contracts.activate(site, world.terms, _activated(part.activated, site), now)
    _tell_refused(site, refused, now)
    if not any(finding.item == "open_close" for finding in refused):
        _hours(site, part, now)
    if part.needless:
        needless.begin_with(site, part.needless, world.terms, now)
    if part.handlings_used:
        plan = world.terms.plans[part.plan]
        Handling.objects.create(
            site=site,
            incident_id=None,
            period_start=contracts.period_start(site, world.terms, now),
            counted_at=now,
            used=part.handlings_used,
            included=plan.included[part.formula],
            billable=part.handlings_used > plan.included[part.formula],
        )


def _activated(when: date | datetime, site: models.Site) -> datetime:
    """A date is 00:00 at the site (S4.3)."""
    if isinstance(when, datetime):
        return when if when.tzinfo else when.replace(tzinfo=ZoneInfo(site.timezone))
    return datetime.combine(when, time(), ZoneInfo(site.timezone)).astimezone(UTC)


def _hours(site: models.Site, part: SitePart, now: datetime) -> None:
    for row in opening_hours(part.open_close):
        models.OpeningHours.objects.create(site=site, **row)
    if part.open_close:
        hours.watch_hours(site, now)


def _patrols(world: World, now: datetime) -> None:
    """The units that the story names; without any that becomes free, they are free at the start."""
    events = [event.patrol or {} for _, event, kind in world.story.events if kind == "patrol"]
    names = list(dict.fromkeys(str(patrol["unit"]) for patrol in events)) or ["patrol"]
    free_later = {str(p["unit"]) for p in events if p.get("state", "free") == "free"}
    for name in names:
        state = PatrolUnit.State.OFF if name in free_later else PatrolUnit.State.FREE
        PatrolUnit.objects.create(
            provider_id=world.provider.pk, name=name, state=state, reported_at=now
        )
