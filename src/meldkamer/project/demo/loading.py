"""Stores what the demo plans: through the same commands as the office, in one transaction."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import F

from meldkamer.agenda import commands as agenda
from meldkamer.contracts import commands as contracts
from meldkamer.notify.models import PatrolUnit
from meldkamer.office.sandbox.people import candidate
from meldkamer.people.codes import code_mac
from meldkamer.people.issuing import issue_given
from meldkamer.people.models import Staff
from meldkamer.project.demo import history, plan
from meldkamer.sites import whole
from meldkamer.sites.models import Contact, IdentificationCode, Provider, Site, Transmitter
from meldkamer.terms.loader import load as terms_named
from meldkamer.watch.commands import TEST_DUE
from meldkamer.watch.hours import HOURS_DUE, STILL_OPEN

ACTOR = "demo"
PROVIDERS = {"securitas": "securitas-2022-05", "dtral": "dtral"}
#: username, role, language, first and last name
STAFF = (
    ("emma", Staff.Role.OPERATOR, "nl", "Emma", "Verbeke"),
    ("jef", Staff.Role.OPERATOR, "nl", "Jef", "Aerts"),
    ("chloe", Staff.Role.OPERATOR, "fr", "Chloé", "Lambert"),
    ("sofie", Staff.Role.SUPERVISOR, "nl", "Sofie", "De Wit"),
    ("karel", Staff.Role.OFFICE, "nl", "Karel", "Smets"),
)
#: shown at the start, the first of each role first
SHOWN = ("emma", "sofie", "karel", "jef", "chloe")
OPERATORS = ("chloe", "emma", "jef")
_PATROLS = (
    ("Delta 1", 51.2194, 4.4025), ("Delta 2", 51.0543, 3.7174), ("Delta 3", 50.8503, 4.3517),
    ("Delta 4", 50.6326, 5.5797), ("Delta 5", 50.4108, 4.4446), ("Delta 6", 51.2093, 3.2247),
    ("Delta 7", 50.9307, 5.3325), ("Delta 8", 50.4674, 4.8720),
)  # fmt: skip


@transaction.atomic
def load(now: datetime) -> int:
    """Bring the demo in; how many sites are new. What is there already stays as it is."""
    providers = {slug: _provider(slug, terms) for slug, terms in PROVIDERS.items()}
    _staff(list(providers.values()))
    _patrols(list(providers.values()), now)
    there = set(
        Transmitter.objects.filter(account__in=plan.accounts()).values_list("account", flat=True)
    )
    new = [p for p in plan.sites(now) if p.whole.transmitters[0].account not in there]
    sites = []
    for planned in new:
        entered = planned.activated or now
        site, _ = whole.bring(providers[planned.provider], planned.whole, entered, ACTOR)
        sites.append(site)
        if planned.activated is not None:
            _in_service(site, planned.activated, now)
    for provider in providers.values():
        _codes(provider, [s for s in sites if s.provider_id == provider.pk], now)
    if len(new) == plan.SITES:
        history.play(now, list(Staff.objects.filter(username__in=OPERATORS).order_by("username")))
    return len(new)


def _provider(slug: str, terms: str) -> Provider:
    house = terms_named(terms).house
    provider, _ = Provider.objects.get_or_create(
        slug=slug,
        defaults={
            "name": house.name,
            "terms": terms,
            "operating_company": house.operating_company,
            "company_number": house.company_number,
            "licence": house.licence[:80],
            "seat": house.seat,
            "emergency_phone": house.emergency_phone,
            "office_email": house.sales_email,
            "practice": True,
        },
    )
    return provider


def _staff(providers: Sequence[Provider]) -> None:
    """Logins with random passwords; known ones keep theirs."""
    rows = []
    for username, role, language, first, last in STAFF:
        if Staff.objects.filter(username=username).exists():
            continue
        password = secrets.token_urlsafe(12)
        staff = Staff.objects.create(
            username=username,
            role=role,
            language=language,
            first_name=first,
            last_name=last,
            password=make_password(password),
        )
        staff.providers.set(providers)
        rows.append({"username": username, "password": password, "role": str(role)})
    if rows:
        transaction.on_commit(lambda: _write_logins(rows))


def _write_logins(rows: list[dict[str, str]]) -> None:
    """var/demo-logins.json, for the owner of the installation alone."""
    file = settings.VAR_DIR / "demo-logins.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    known = {}
    if file.exists():
        known = {row["username"]: row for row in json.loads(file.read_text("utf-8"))}
    known |= {row["username"]: row for row in rows}
    ordered = sorted(
        known.values(),
        key=lambda row: SHOWN.index(row["username"]) if row["username"] in SHOWN else len(SHOWN),
    )
    new = file.with_suffix(".new")
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        json.dump(ordered, out, indent=1)
    new.replace(file)


def _patrols(providers: Sequence[Provider], now: datetime) -> None:
    for provider in providers:
        for name, latitude, longitude in _PATROLS:
            PatrolUnit.objects.get_or_create(
                provider_id=provider.pk,
                name=name,
                defaults={"latitude": latitude, "longitude": longitude, "reported_at": now},
            )


def _in_service(site: Site, activated: datetime, now: datetime) -> None:
    """Activated in the past: trial and force as they would stand today, no watching yet."""
    terms = terms_named(site.provider.terms)
    contracts.activate(site, terms, activated, now)
    contracts.start_force(site, "D903.1" if terms.not_in_force.delay_s else "S4.2", activated)


def _codes(provider: Provider, sites: Sequence[Site], now: datetime) -> None:
    """A code for every contact, and a duress code for the first of each site (S18.1, M7.1)."""
    pepper = settings.MELDKAMER_CODE_PEPPER
    taken = {
        bytes(mac)
        for mac in IdentificationCode.objects.filter(provider=provider).values_list(
            "code_mac", flat=True
        )
    }
    given: list[tuple[Contact, str, bool]] = []
    contacts = (
        Contact.objects.filter(site__in=sites)
        .annotate(account=F("site__transmitters__account"))
        .order_by("pk")
    )
    for contact in contacts:
        for duress in (False, True) if contact.position == 1 else (False,):
            attempt = 0
            while True:
                code = candidate(pepper, contact.account, contact.position, attempt, duress=duress)
                mac = code_mac(code, provider.pk, pepper)
                if mac not in taken:
                    break
                attempt += 1
            taken.add(mac)
            given.append((contact, code, duress))
    issue_given(given, provider.pk, now)


def rest(now: datetime) -> None:
    """Nobody is expected to call while the city is out: it says itself when it is back.

    Without this a demo that was off for a week would begin with 200 missed tests.
    """
    sites = Site.objects.filter(transmitters__account__in=plan.accounts()).distinct()
    with transaction.atomic():
        for site in sites.prefetch_related("hours", "transmitters"):
            for transmitter in site.transmitters.all():
                agenda.strike(TEST_DUE, f"transmitter:{transmitter.pk}", now)
            for area in {row.area for row in site.hours.all()}:
                for kind in (HOURS_DUE, STILL_OPEN):
                    agenda.strike(kind, f"site:{site.pk}:{area}", now)
