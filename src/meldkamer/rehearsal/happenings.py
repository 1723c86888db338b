"""The events of a story, each through the door that production has for it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from django.db import connection

from meldkamer.contracts import commands as contracts
from meldkamer.contracts import documents
from meldkamer.contracts.interruptions import Kind
from meldkamer.contracts.models import Interruption
from meldkamer.incidents import commands
from meldkamer.incidents.deciding import outages
from meldkamer.incidents.deciding.facts import terms_of
from meldkamer.incidents.locking import lock_site
from meldkamer.incidents.models import AreaOutage, Incident
from meldkamer.incidents.service import interrupting, testing
from meldkamer.incidents.telephone import incoming
from meldkamer.journal import commands as journal
from meldkamer.journal.store import store
from meldkamer.notify import inbox
from meldkamer.people import identification
from meldkamer.receivers.intake import Origin, receive
from meldkamer.rehearsal.changing import sheet
from meldkamer.rehearsal.patrols import patrol
from meldkamer.rehearsal.story import FORCE_KINDS, EventPart, span
from meldkamer.rehearsal.world import World
from meldkamer.sites.models import Site
from meldkamer.sites.phones import PhoneFault, normal
from meldkamer.watch import commands as watch
from meldkamer.wire import encode

_ORIGIN = Origin("story", "127.0.0.1", 0)
_UNVERIFIED_TYPES = ("intrusion", "sabotage")


def signal(world: World, event: EventPart, now: datetime) -> None:
    """A signal as a frame of the site's transmitter, through the receiver's own decision."""
    site = world.site_of(event.site)
    account = world.accounts[site.pk]
    code = event.signal or ""
    zone = "" if event.zone is None else str(event.zone)
    area = "" if event.area is None else str(event.area)
    user = "" if event.user is None else str(event.user)
    if code[0].isdigit():
        number = zone or user or "0"
        data = f"#{account}|{code} {area.rjust(2, '0')} {number.rjust(3, '0')}"
        kind = "ADM-CID"
    else:
        parts = [f"ri{area}"] if area else []
        data = f"#{account}|N{'/'.join([*parts, code + (zone or user)])}"
        kind = "SIA-DCS"
    world.sequence = world.sequence % 9999 + 1
    _store(world, encode(kind, world.sequence, account, data=data), now)


def frame(world: World, event: EventPart, now: datetime) -> None:
    """A raw frame; LF and CR are added where the story leaves them out."""
    raw = (event.frame or "").encode("latin-1", "replace")
    if not raw.startswith(b"\n"):
        raw = b"\n" + raw
    if not raw.endswith(b"\r"):
        raw += b"\r"
    _store(world, raw, now)


def _store(world: World, raw: bytes, now: datetime) -> None:
    received = receive(raw, _ORIGIN, world.directory, now)
    if received is not None:
        with connection.cursor() as cursor:
            store(cursor, [received.record])
        if received.record.reply == "ack":
            world.acknowledged.append((now, received.record.raw))


def camera(world: World, event: EventPart, now: datetime) -> None:
    """An operator judged the images of the open intrusion or sabotage (S9.1)."""
    site = world.site_of(event.site)
    for incident in _open(site, _UNVERIFIED_TYPES):
        commands.judge_images(None, incident.pk, event.camera or "", now)


def _open(site: Site | None, types: tuple[str, ...] | None = None) -> list[Incident]:
    rows = Incident.objects.filter(closed_at=None).order_by("opened_at", "id")
    if site is not None:
        rows = rows.filter(site=site)
    return list(rows.filter(type__in=types) if types else rows)


def sms_from(world: World, event: EventPart, now: datetime) -> None:
    """A text outside the script, by a contact's name or from a number."""
    name = event.sms_from or ""
    site = world.sites.get(event.site)
    contact = world.contact_named(name, site)
    sender = contact.phone if contact else world.phone_of(name)
    with suppress(PhoneFault):  # an unknown sender may write from anything
        sender = normal(sender)
    receive_text(sender, event.text or "", now)


def receive_text(sender: str, text: str, now: datetime, carrier_ref: str = "") -> None:
    """A text comes in; one that the carrier brings twice has the same reference."""
    inbox.store_inside(sender, text, now, carrier_ref)


def phone_from(world: World, event: EventPart, now: datetime) -> None:
    """Somebody calls the centre with a name and, perhaps, a code."""
    site = world.site_of(event.site)
    name = event.phone_from or ""
    contact = world.contact_named(name, site)
    person = world.premises[site.pk]
    at_premises = name == "premises" or (not contact and name == person.name)
    key = identification.PREMISES if at_premises else f"c{contact.pk}" if contact else ""
    duration = span(event.duration).total_seconds() if event.duration else None
    incoming.someone_calls(
        None,
        site.pk,
        key,
        event.code or "",
        event.says or "",
        now,
        duration_s=None if duration is None else int(duration),
        identity=_identity(world, site, key, event.code),
        caller=name,
    )


def _identity(world: World, site: Site, key: str, code: str | None) -> str | None:
    """right, wrong, none and duress may be said in words; digits are checked as in production.

    Somebody on the lists of two sites has one code in a story; a stored code is one contact's.
    """
    if code in ("right", "wrong", "none", "duress"):
        return code
    if not code:
        return "none"
    if not key:
        return "wrong"
    person = world.premises[site.pk]
    if key == identification.PREMISES and person.code:
        return "right" if code == person.code else "wrong"
    contact = next((part for pk, part in world.contacts.items() if key == f"c{pk}"), None)
    return "right" if contact is not None and contact.code == code else None


def written(world: World, event: EventPart, now: datetime) -> None:
    """A written request with its paper: a longer test, an unknown code, a resumption."""
    site = lock_site(world.site_of(event.site).pk)
    if event.written == "undefined":
        watch.handle_undefined(site, event.code or "", now)
        return
    if event.written == "line_test":
        watch.instructed(site, "in writing", now, "customer")
        return
    paper = documents.keep(site, f"{event.written}.txt", b"as asked for", now, "customer")
    if event.written == "test":
        until = now + span(event.duration or "")
        testing.start_in_writing(
            site.pk, until, "in writing", paper, now, by="customer", actor=journal.SYSTEM
        )
        return
    for row in Interruption.objects.filter(site=site, kind=Kind.SUSPENDED, ended_at=None):
        interrupting.resume(row.pk, "in writing", now, actor=journal.SYSTEM, document=paper)


def operator(world: World, event: EventPart, now: datetime) -> None:
    """A supervisor overrides for the oldest open incident that is verified (S15.3, S4.3)."""
    if event.operator == "undo_outage":
        for outage in AreaOutage.objects.filter(undone_at=None).order_by("pk")[:1]:
            outages.undo(None, outage.pk, event.reason or "", now)
        return
    site = world.sites.get(event.site)
    incidents = _open(site)
    verified = [incident for incident in incidents if incident.verified_by]
    for incident in (verified or incidents)[:1]:
        commands.override_police(None, incident.pk, event.reason or "", now)


def in_force_fact(kind: str) -> Callable[[World, EventPart, datetime], None]:
    """One of the facts that bring the contract into force (S4.2, D903.1)."""

    def note(world: World, event: EventPart, now: datetime) -> None:
        site = lock_site(world.site_of(event.site).pk)
        facts = world.force_facts[site.pk]
        facts.add(kind)
        if kind == "activation_confirmed":
            contracts.activate(site, terms_of(site), now, now)
        wanted = {
            name
            for _, other, name in world.story.events
            if name in FORCE_KINDS and world.site_of(other.site).pk == site.pk
        }
        delay_s = terms_of(site).not_in_force.delay_s
        needed = set(FORCE_KINDS) if delay_s else wanted
        if facts >= needed:
            contracts.put_in_force(site, later_by(now, delay_s), now)

    return note


def later_by(now: datetime, wait_s: int) -> datetime:
    """So many seconds later."""
    return now + timedelta(seconds=wait_s)


PLAYED: dict[str, Callable[[World, EventPart, datetime], None]] = {
    "signal": signal,
    "frame": frame,
    "camera": camera,
    "sms_from": sms_from,
    "phone_from": phone_from,
    "written": written,
    "operator": operator,
    "patrol": patrol,
    "sheet": sheet,
    **{kind: in_force_fact(kind) for kind in FORCE_KINDS},
}
