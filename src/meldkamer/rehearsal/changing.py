"""A `sheet` event: asked through the door of production, and the scripted people follow it.

A change may begin and end long after it was asked for (S22.1), so the script of a new contact is
learned when his row is there, and an old script comes back when the change ends. What is kept here
is only who answers how; what the sheet says is in the tables.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from meldkamer.incidents.locking import lock_site
from meldkamer.rehearsal import sheets
from meldkamer.rehearsal.faults import StoryFault
from meldkamer.rehearsal.story import ContactPart, EventPart, Person, SitePart
from meldkamer.rehearsal.world import World, give_code
from meldkamer.sites import sheet_changes
from meldkamer.sites.models import Contact, SheetChange
from meldkamer.watch import commands as watch


@dataclass
class Asked:
    """A change whose people the story scripts, until it is over."""

    change_id: int
    site_id: int
    part: SitePart
    premises: Person | None
    begun: bool = False
    # whose scripts it replaced
    contacts_before: dict[int, ContactPart] = field(default_factory=dict)
    premises_before: Person | None = None


def sheet(world: World, event: EventPart, now: datetime) -> None:
    """A written change of the instruction sheet (S22.1)."""
    site = lock_site(world.site_of(event.site).pk)
    raw = event.sheet or {}
    changes = sheets.changes_of(raw)
    if "hours" in changes and site.armed is None:
        # R22: a site without hours was closed at the start, and nobody opened it since
        site.armed = True
        site.save(update_fields=["armed"])
    try:
        change = sheet_changes.ask(
            site, changes, now, starts_at=event.begins or now, ends_at=event.to, by="customer"
        )
    except sheet_changes.SheetFault as fault:
        raise StoryFault(world.story.path, None, "sheet", str(fault)) from None
    if change.state == SheetChange.State.IN_FORCE:
        watch.sheet_changed(change.site, change.changes, now)
    part = sheets.part_of(raw)
    if "contact" in raw or "premises" in raw:
        premises = part.premises if "premises" in raw else None
        world.asked.append(Asked(change.pk, site.pk, part, premises))


def follow(world: World, now: datetime) -> None:
    """The scripts as the changes stand now; after every event and every row that was acted on."""
    for asked in list(world.asked):
        change = SheetChange.objects.filter(pk=asked.change_id).first()
        if change is None or change.state == SheetChange.State.REFUSED:
            # refused, or never committed
            world.asked.remove(asked)
        elif change.state == SheetChange.State.IN_FORCE and not asked.begun:
            _begin(world, asked, now)
        elif change.state == SheetChange.State.ENDED:
            world.asked.remove(asked)
            if asked.begun:
                _end(world, asked)


def _begin(world: World, asked: Asked, now: datetime) -> None:
    asked.begun = True
    parts = {part.name: part for part in asked.part.contact}
    for row in Contact.objects.filter(site_id=asked.site_id, name__in=parts):
        part, old = parts[row.name], world.contacts.get(row.pk)
        if old is not None:
            asked.contacts_before[row.pk] = old
            part.code = part.code or old.code
        world.contacts[row.pk] = part
        give_code(world, row, part.code, now)
    if asked.premises is not None:
        asked.premises_before = world.premises[asked.site_id]
        world.premises[asked.site_id] = asked.premises


def _end(world: World, asked: Asked) -> None:
    """The scripts it replaced are back; under a later change they wait for the end of that one."""
    own = {id(part) for part in asked.part.contact}
    for pk, old in asked.contacts_before.items():
        if id(world.contacts[pk]) in own:
            world.contacts[pk] = old
        for later in world.asked:
            if id(later.contacts_before.get(pk)) in own:
                later.contacts_before[pk] = old
    if asked.premises is None or asked.premises_before is None:
        return
    if world.premises[asked.site_id] is asked.premises:
        world.premises[asked.site_id] = asked.premises_before
    for later in world.asked:
        if later.premises_before is asked.premises:
            later.premises_before = asked.premises_before
