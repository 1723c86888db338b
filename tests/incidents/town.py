"""A small town for the tests of the handling floors: providers, sites, people, staff, signals.

Everything goes in through the tables and the commands; signals go the real way, through the journal
and the judge. Codes are known here, so that a test can say the right one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from meldkamer.agenda.models import AgendaRow
from meldkamer.engine import cycle
from meldkamer.incidents.models import Incident
from meldkamer.journal import store
from meldkamer.journal.models import Entry
from meldkamer.journal.records import SignalRecord, detail
from meldkamer.notify.sandbox import all_sandbox
from meldkamer.people.codes import code_mac
from meldkamer.people.models import Staff
from meldkamer.sites.models import (
    Contact,
    Customer,
    IdentificationCode,
    Installer,
    Provider,
    Site,
    Transmitter,
    Zone,
)

NOW = datetime(2026, 3, 2, 21, 0, tzinfo=UTC)
CODES = ("402913", "517204", "660381")
DURESS = "913402"
PREMISES = "+3292210017"
_ZONES = (("1", "Voordeur", "contact-1", "contact"), ("2", "Winkel", "pir-1", "pir"))
_NAMES = ("An Peeters", "Bert Claes", "Nadia El Amrani")


def at(seconds: float) -> datetime:
    """So many seconds after NOW."""
    return NOW + timedelta(seconds=seconds)


@dataclass
class Town:
    """Two providers, the first with a site; `emma` and `jef` work for it, `sofie` supervises."""

    now: datetime = NOW
    provider: Provider = field(init=False)
    other: Provider = field(init=False)
    site: Site = field(init=False)
    emma: Staff = field(init=False)
    jef: Staff = field(init=False)
    sofie: Staff = field(init=False)
    stranger: Staff = field(init=False)

    def __post_init__(self) -> None:
        self.provider = _provider("securitas", "securitas-2022-05")
        self.other = _provider("dtral", "dtral")
        self.site = self.build_site()
        self.emma, self.jef = self.staff("emma"), self.staff("jef")
        self.sofie = self.staff("sofie", Staff.Role.SUPERVISOR)
        self.stranger = self.staff("stranger", Staff.Role.SUPERVISOR, self.other)

    def staff(
        self, name: str, role: str = Staff.Role.OPERATOR, provider: Provider | None = None
    ) -> Staff:
        """Somebody who works for one provider."""
        person = Staff.objects.create(username=name, role=role)
        person.providers.add(provider or self.provider)
        return person

    def build_site(
        self,
        name: str = "Bakkerij Peeters",
        *,
        account: str = "",
        contacts: int = 2,
        codes: bool = True,
        **more: Any,
    ) -> Site:
        """A site with contacts, codes, zones and a transmitter (of that account), in force."""
        customer = Customer.objects.create(
            provider=self.provider, name=name, email="customer@example.be"
        )
        installer = Installer.objects.create(
            provider=self.provider, name="Elektro Maes", email="maes@example.be"
        )
        values: dict[str, Any] = {
            "postal_code": "2000", "plan": "proguard", "formula": "operator",
            "premises_phone": PREMISES, "in_force_from": self.now - timedelta(days=400),
            "created_at": self.now - timedelta(days=400),
        }  # fmt: skip
        site = Site.objects.create(
            provider=self.provider, customer=customer, installer=installer, name=name,
            **(values | more),
        )  # fmt: skip
        Transmitter.objects.create(site=site, account=account or f"{0xA000 + site.pk:04X}")
        for number, words, detector, kind in _ZONES:
            Zone.objects.create(site=site, number=number, name=words, detector=detector, kind=kind)
        for position in range(1, contacts + 1):
            person = Contact.objects.create(
                site=site, position=position, name=_NAMES[(position - 1) % 3],
                phone=f"+324751{site.pk % 1000:03d}{position:02d}",
                email=f"c{position}@example.be",
            )  # fmt: skip
            if codes and Site.objects.filter(provider=self.provider).count() == 1:
                self.give_code(person, CODES[position - 1])
        return site

    def give_code(self, person: Contact, code: str, *, duress: bool = False) -> None:
        """A known code for a contact."""
        provider = person.site.provider_id
        mac = code_mac(code, provider, settings.MELDKAMER_CODE_PEPPER)
        IdentificationCode.objects.create(
            provider_id=provider, contact=person, code_mac=mac, duress=duress, issued_at=self.now
        )

    def contact(self, position: int = 1) -> Contact:
        """A contact of the first site."""
        return self.site.contacts.get(position=position)

    def key(self, position: int = 1) -> str:
        """His key in the history."""
        return f"c{self.contact(position).pk}"

    def signal(
        self,
        type: str = "intrusion",
        code: str = "BA",
        *,
        zone: str | None = "1",
        role: str = "event",
        when: datetime | None = None,
        site: Site | None = None,
        restores: str | None = None,
        **more: Any,
    ) -> int:
        """A signal comes in and is stored; nobody judged it yet."""
        record = SignalRecord(
            code=code, role=role, type=type, zone=zone, site_id=(site or self.site).pk,
            protocol="sia", account="A000", detail=detail(label=type, restores_type=restores),
            **more,
        )  # fmt: skip
        with transaction.atomic(), connection.cursor() as cursor:
            return store.store_signals(cursor, when or self.now, [record])[0]

    def incident(self, type: str = "intrusion", when: datetime | None = None) -> Incident:
        """A signal of that type comes in and is judged: the incident that it opened or joined."""
        self.signal(type, when=when)
        cycle.judge_all(when or self.now)
        found = Incident.objects.filter(site=self.site, type=type).order_by("-pk").first()
        assert found is not None
        return found


def _provider(slug: str, terms: str) -> Provider:
    return Provider.objects.create(
        slug=slug, name=slug, terms=terms, office_email="o@example.be", practice=True
    )


def run(now: datetime) -> None:
    """What a worker does at this moment, until nothing is left to do."""
    carriers = all_sandbox()
    while (
        cycle.end_states(now)
        + cycle.judge_all(now)
        + cycle.consume_all(now)
        + cycle.act_on_due(now)
        + cycle.hand_over(carriers, now)
    ):
        pass


def told(what: str, incident: Incident | None = None) -> list[Entry]:
    """The journal's entries of that word, of one incident or of all."""
    rows = Entry.objects.filter(what=what).order_by("id")
    return list(rows.filter(incident_id=incident.pk) if incident else rows)


def row_of(incident: Incident) -> AgendaRow:
    """The one open agenda row of an incident."""
    return AgendaRow.objects.get(subject=f"incident:{incident.pk}", done_at=None)
