"""A small centre to look at: two providers, sites with zones and contacts, staff, signals.

Signals go the real way: stored in the journal, judged, queued. Codes are given so that tests can
say the right one; nothing else knows them.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from functools import cache
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password

from meldkamer.incidents.deciding.judging import judge_next
from meldkamer.incidents.models import HouseCheck, Incident
from meldkamer.journal import store
from meldkamer.journal.records import SignalRecord, detail
from meldkamer.people.codes import code_mac
from meldkamer.people.models import Staff
from meldkamer.sites.models import (
    Contact,
    Customer,
    IdentificationCode,
    OpeningHours,
    Provider,
    Site,
    Transmitter,
    Zone,
)

PASSWORD = "a long enough password 7"
CODE = "402913"
DURESS = "913402"

ZONES = (
    ("1", "Voordeur", "contact-1", "contact"),
    ("3", "Achterdeur magazijn", "contact-3", "contact"),
    ("5", "PIR magazijn", "pir-5", "pir"),
    ("7", "PIR verkoopruimte", "pir-7", "pir"),
)
CONTACTS = (
    ("Sofie Van Damme", "+32475001236", "nl", "titularis", 14),
    ("Pieter Claes", "+32475001238", "nl", "vennoot", 12),
    ("Nadia El Amrani", "+32475001241", "fr", "apotheker", 25),
)


class Scene:
    """Builds and drives one; `now` is the moment of everything that is not said otherwise."""

    def __init__(self, now: datetime | None = None) -> None:
        self.now = now or datetime.now(UTC)
        self.providers = {
            "securitas": self.provider("securitas", "Securitas", "securitas-2022-05"),
            "dtral": self.provider("dtral", "D’Tral", "dtral"),
        }
        self._accounts = 1000
        self.house_holds()

    def house_holds(self) -> None:
        """The auditor was here, found nothing, and is not missed for a day: no worker runs here."""
        HouseCheck.objects.update_or_create(
            name="signal_waits",
            defaults={"clause": "M12.1", "checked_at": self.now + timedelta(days=1), "count": 0,
                      "findings": [], "broken_since": None},
        )  # fmt: skip

    def provider(self, slug: str, name: str, terms: str) -> Provider:
        return Provider.objects.create(
            slug=slug, name=name, terms=terms, emergency_phone="+3222630000", practice=True
        )

    def staff(
        self,
        username: str = "eva",
        role: str = "operator",
        providers: tuple[str, ...] = ("securitas",),
        language: str = "en",
        name: str = "Eva Maes",
    ) -> Staff:
        first, _, last = name.partition(" ")
        person = Staff(
            username=username, role=role, language=language, first_name=first, last_name=last
        )
        person.password = _hashed(settings.PASSWORD_HASHERS[0])
        person.save()
        person.providers.set([self.providers[slug] for slug in providers])
        return person

    def site(
        self,
        name: str = "Apotheek Van Damme",
        provider: str = "securitas",
        *,
        town: str = "Gent",
        contacts: int = 3,
        options: tuple[str, ...] = (),
        premises: str = "+3292210017",
        trial: bool = False,
        position: tuple[float, float] | None = (51.0406, 3.7172),
        hours: bool = False,
        **more: Any,
    ) -> Site:
        house = self.providers[provider]
        customer = Customer.objects.create(provider=house, name=name, kind="business")
        since = self.now - timedelta(days=2 if trial else 400)
        plan, formula = ("proguard", "operator") if provider == "securitas" else ("dtral", "")
        site = Site.objects.create(
            provider=house, customer=customer, name=name, street="Kortrijksesteenweg 214",
            postal_code="9000", town=town, plan=plan, formula=formula, options=list(options),
            premises_phone=premises, premises_person="", police_zone="lokale politie Gent",
            access_note="Achterdeur via de poort in de zijstraat",
            key_note="Nr. 4471, kluis patrouille Gent-Zuid",
            latitude=position[0] if position else None,
            longitude=position[1] if position else None,
            activated_at=since, in_force_from=since, created_at=since, armed=True,
            armed_changed_at=self.now - timedelta(hours=8), armed_by="S. Van Damme", **more,
        )  # fmt: skip
        self._accounts += 1
        Transmitter.objects.create(site=site, account=str(self._accounts))
        for number, words, detector, kind in ZONES:
            Zone.objects.create(site=site, number=number, name=words, detector=detector, kind=kind)
        for position_, (who, phone, language, relation, minutes) in enumerate(
            CONTACTS[:contacts], start=1
        ):
            person = Contact.objects.create(
                site=site, position=position_, name=who, phone=phone, language=language,
                relation=relation, minutes_away=minutes,
            )  # fmt: skip
            if Site.objects.count() == 1:
                self.code(person, f"{position_}{CODE[1:]}")
        if hours:
            for day in range(6):
                OpeningHours.objects.create(
                    site=site, weekday=day, opens=time(8, 30), closes=time(18, 30)
                )
        return site

    def code(self, contact: Contact, code: str, duress: bool = False) -> None:
        provider = contact.site.provider_id
        IdentificationCode.objects.create(
            provider_id=provider, contact=contact, duress=duress, issued_at=self.now,
            code_mac=code_mac(code, provider, settings.MELDKAMER_CODE_PEPPER),
        )  # fmt: skip

    def signal(
        self,
        site: Site,
        code: str = "BA",
        kind: str = "intrusion",
        zone: str | None = "3",
        *,
        role: str = "event",
        at: datetime | None = None,
        restores: str | None = None,
    ) -> Incident | None:
        """A signal comes in and is judged; the newest open incident of the site."""
        from django.db import connection, transaction

        at = at or self.now
        record = SignalRecord(
            code=code, role=role, type=kind, zone=zone, site_id=site.pk, protocol="sia",
            account="1001", detail=detail(label=kind, restores_type=restores),
        )  # fmt: skip
        with transaction.atomic(), connection.cursor() as cursor:
            store.store_signals(cursor, at, [record])
        while judge_next(at):
            pass
        return Incident.objects.filter(site=site, closed_at=None).order_by("-pk").first()


@cache
def _hashed(hasher: str) -> str:
    """A good hash takes its time; once is enough. Some tests have another hasher than others."""
    return make_password(PASSWORD)


def burglary(scene: Scene, site: Site, *, verified: bool = False) -> Incident:
    """An open burglary at the site; with two detectors it is verified."""
    incident = scene.signal(site)
    assert incident is not None
    if verified:
        scene.signal(site, zone="5", at=scene.now + timedelta(seconds=29))
    incident.refresh_from_db()
    return incident
