"""What the city reads and writes in the database: its panels with their keys, texts, hours.

The keys are unsealed as a receiver does, in the demo alone. Only the demo's own accounts are the
city's; a site that somebody entered by hand dials in by its own panel or not at all.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from meldkamer.incidents.models import Incident
from meldkamer.notify import inbox
from meldkamer.notify.models import OutboxMessage
from meldkamer.office.activation import start_watching
from meldkamer.office.sandbox.people import texted
from meldkamer.project.city.day import Place
from meldkamer.project.city.fleet import Dialler, dialect_of, transport_of
from meldkamer.project.demo import plan
from meldkamer.receivers.panel import Account
from meldkamer.sites.models import Site, Transmitter
from meldkamer.sites.sealing import unseal
from meldkamer.watch.hours import plan_of

_REMEMBERED = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Reply:
    """A text that will be sent: when, by whom, what, and the text it answers."""

    at: datetime
    sender: str
    text: str
    message_id: int


def panels() -> list[Dialler]:
    """The demo's panels whose sites are in force."""
    rows = (
        Transmitter.objects.filter(
            active=True, account__in=plan.accounts(), site__in_force_from__isnull=False
        )
        .select_related("site__customer")
        .prefetch_related("site__zones")
        .order_by("account")
    )
    return [_dialler(row) for row in rows]


def _dialler(row: Transmitter) -> Dialler:
    zones: dict[str, list[str]] = defaultdict(list)
    for zone in sorted(row.site.zones.all(), key=lambda zone: (len(zone.number), zone.number)):
        zones[zone.kind].append(zone.number)
    key = None
    if row.key_sealed is not None:
        key = unseal(bytes(row.key_sealed), settings.MELDKAMER_SEALING_KEY)
    number = int(row.account, 16)
    return Dialler(
        place=Place(
            row.site_id,
            row.site.name,
            {kind: tuple(numbers) for kind, numbers in zones.items()},
            business=row.site.customer.kind == "business",
        ),
        account=Account(row.account, key, row.receiver or None, row.line or "0"),
        dialect=dialect_of(number),
        transport=transport_of(number),
        armed=bool(row.site.armed),
        period_s=row.site.test_period_s,
    )


def begin(site_ids: list[int], now: datetime) -> None:
    """The city is back: from now on its sites are expected to call (S10.3, S11.1)."""
    with transaction.atomic():
        for site in Site.objects.filter(pk__in=site_ids).prefetch_related("hours"):
            start_watching(site, now)


def out_of_step(now: datetime) -> dict[int, bool]:
    """{site: should be armed} for sites with hours that stand otherwise than they should."""
    found = {}
    sites = Site.objects.filter(
        transmitters__account__in=plan.accounts(), hours__isnull=False
    ).distinct()
    for site in sites:
        agreed = plan_of(site, "")
        if agreed is None:
            continue  # hours of its areas alone: the city arms whole sites
        closed = not agreed.is_open(now)
        if site.armed is None or site.armed != closed:
            found[site.pk] = closed
    return found


def with_hours() -> set[int]:
    """The sites with agreed hours: they arm by the clock, not by chance."""
    return set(Site.objects.filter(hours__isnull=False).values_list("pk", flat=True))


def waiting_for_operators() -> int:
    """How many incidents stand in the queue: the city does not drown a newcomer."""
    return Incident.objects.filter(state=Incident.State.QUEUED).count()


def busy_sites() -> set[int]:
    """Sites with an open incident."""
    return set(Incident.objects.filter(closed_at=None).values_list("site_id", flat=True))


def replies(after_id: int, now: datetime) -> tuple[int, list[Reply]]:
    """What people answer to the texts handed over since: (last id seen, replies).

    Only the demo's own people; each answers only his first text of an incident.
    """
    rows = (
        OutboxMessage.objects.filter(
            pk__gt=after_id,
            channel="sms",
            template="ladder",
            state=OutboxMessage.State.HANDED_OVER,
            handed_over_at__gt=now - _REMEMBERED,
            incident_id__isnull=False,
            contact_id__isnull=False,
            site_id__in=Transmitter.objects.filter(account__in=plan.accounts()).values("site_id"),
        )
        .order_by("pk")
        .only("pk", "contact_id", "incident_id", "address", "handed_over_at")
    )
    found, last = [], after_id
    for row in rows:
        last = max(last, row.pk)
        answer = texted(f"c{row.contact_id}", row.incident_id or 0)
        if answer.text is None or row.handed_over_at is None or _answered(row):
            continue
        at = row.handed_over_at + timedelta(seconds=answer.after_s)
        found.append(Reply(at, row.address, answer.text, row.pk))
    return last, found


def _answered(row: OutboxMessage) -> bool:
    """Whether he had a text of this incident before."""
    return OutboxMessage.objects.filter(
        channel="sms", incident_id=row.incident_id, contact_id=row.contact_id, pk__lt=row.pk
    ).exists()


def answer_text(reply: Reply, now: datetime) -> None:
    """Hand a reply in as a carrier does; the same one twice is stored once."""
    inbox.store_inside(reply.sender, reply.text, now, ref=f"city:{reply.message_id}")
