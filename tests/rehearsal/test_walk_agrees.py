"""The preview of a procedure and a rehearsal tell the same course: they ask the same rules."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from meldkamer.rehearsal.cli import play
from meldkamer.rehearsal.reading import read
from meldkamer.rehearsal.story import ContactPart, Person
from meldkamer.rehearsal.world import World, build
from meldkamer.rules.facts import PREMISES
from meldkamer.rules.procedures import Step
from meldkamer.rules.walk import Course, Reply, walk
from meldkamer.sites.procedure_checks import sheet

SHOWN = frozenset({
    "call.placed", "call.result", "identified", "identification.failed", "police.requested",
    "police.refused", "fire.requested", "medical.requested", "supervisor.notified",
    "incident.waiting", "patrol.sent", "patrol.refused", "message.left", "incident.closed",
})  # fmt: skip
#: stories of one incident that an operator has at once, without signals that join it later
STORIES = (
    "a-sheet-changes-whom-one-calls-first",
    "a-sheet-sends-the-patrol-before-the-contacts",
    "one-detector-nobody-home-no-supervisor-but-a-second-pass",
    "one-detector-a-contact-says-real-and-police-is-refused",
    "somebody-at-the-premises-confirms-and-that-verifies",
    "hold-up-nobody-answers-at-the-premises-police-is-next",
    "fire-nobody-answers-and-the-fire-brigade-is-asked",
    "wrong-codes-count-as-not-reached-and-the-list-goes-on",
    "burglary-becomes-a-hold-up-when-a-contact-gives-the-duress-code",
    "open-close-that-nobody-answers",
)


def answered(part: Person | ContactPart) -> Reply:
    result = {"yes": "reached", "no": "no_answer", "voicemail": "voicemail"}[part.answers]
    return Reply(result, part.gives_code, part.says)


def walked(world: World, kind: str, at: datetime) -> Course:
    site = next(iter(world.sites.values()))

    def answers(step: Step) -> Reply:
        if step.to == PREMISES:
            return answered(world.premises[site.pk])
        if step.to.startswith("number:"):
            return answered(world.others[site.pk, step.name])
        return answered(world.contacts[int(step.to[1:])])

    facts = sheet(site, at)
    return walk(facts, facts.terms.procedure(kind), kind, answers, at)


def row(line: dict[str, Any]) -> tuple[Any, ...]:
    at = datetime.fromisoformat(line["at"])
    return at, line["what"], line.get("to", ""), line.get("clause", ""), line.get("outcome")


@pytest.mark.clause("S14.1")
@pytest.mark.parametrize("name", STORIES)
def test_the_walk_tells_what_the_rehearsal_plays(name: str, rehearsals: Path, db: None) -> None:
    story = read(str(rehearsals / f"{name}.toml"))
    played = [line for line in play(story) if line["what"] != "end"]
    opened = next(line for line in played if line["what"] == "incident.opened")
    expected = [row(line) for line in played if line["what"] in SHOWN]
    with transaction.atomic():
        world = build(story)
        at = datetime.fromisoformat(opened["at"])
        course = walked(world, opened["type"], at)
        transaction.set_rollback(True)
    person = {world.premises[site.pk].name: PREMISES for site in world.sites.values()}
    told = [
        (line.at, line.what, person.get(line.to, line.to), line.clause, line.data.get("outcome"))
        for line in course.lines
        if line.what in SHOWN
    ]
    plain = [(at, what, person.get(to, to), clause, out) for at, what, to, clause, out in expected]
    assert told == plain
