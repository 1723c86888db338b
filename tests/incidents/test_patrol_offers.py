"""A patrol with a page is offered the job; it answers, or the next one is asked (S6.1)."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings

from meldkamer.agenda.models import AgendaRow
from meldkamer.incidents import commands
from meldkamer.incidents.deciding.facts import incident_facts
from meldkamer.incidents.faults import Refused
from meldkamer.incidents.messages import patrol_replies
from meldkamer.incidents.messages.patrol_replies import Said
from meldkamer.incidents.models import Incident, Notice
from meldkamer.incidents.operating import dispatching, patrols
from meldkamer.incidents.telephone import incoming
from meldkamer.journal.models import Entry
from meldkamer.notify.models import PatrolEntry, PatrolJob, PatrolPhoto, PatrolUnit
from meldkamer.notify.patrol import commands as patrol_commands
from meldkamer.rules import procedures
from meldkamer.sites import site_codes
from tests.incidents.together import faults, together
from tests.incidents.town import CODES, NOW, Town, at, run

PHOTO = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xda\x00\x02pixels\xff\xd9"


def unit(town: Town, name: str, km: float = 1.0, **more: Any) -> PatrolUnit:
    """So many kilometres north of the site, seen a minute ago."""
    values: dict[str, Any] = {
        "has_page": True, "latitude": 51.2 + km / 111.2, "longitude": 4.4, "reported_at": NOW,
        "positioned_at": NOW, "place_shared": True,
    }  # fmt: skip
    return PatrolUnit.objects.create(provider_id=town.provider.pk, name=name, **(values | more))


@pytest.fixture
def burglary(town: Town) -> Incident:
    """In Emma's hands, at a site that took the patrol."""
    return in_hands(town)


def in_hands(town: Town) -> Incident:
    town.site.options, town.site.latitude, town.site.longitude = ["patrol"], 51.2, 4.4
    town.site.save()
    incident = town.incident()
    commands.take(town.emma, incident.pk, NOW)
    return incident


def job_of(who: PatrolUnit) -> PatrolJob:
    return PatrolJob.objects.filter(unit=who).latest("pk")


def says(
    who: PatrolUnit, kind: str, when: datetime, client_id: UUID | None = None, **more: Any
) -> patrol_replies.Answer:
    """What the unit enters on its page."""
    said = Said(client_id or uuid4(), job_of(who).pk, kind, **more)
    return patrol_replies.take(who.pk, said, when)


def course(incident: Incident) -> list[tuple[str, str]]:
    entries = Entry.objects.filter(incident_id=incident.pk, what__startswith="patrol.")
    return [(entry.what, entry.recipient) for entry in entries.order_by("id")]


@pytest.mark.clause("S6.1")
def test_the_nearest_unit_is_asked_and_goes_when_it_accepts(town: Town, burglary: Incident) -> None:
    near, far = unit(town, "near"), unit(town, "far", 9.0)
    assert commands.send_patrol(town.emma, burglary.pk, at(10))
    near.refresh_from_db()
    assert (near.state, near.incident_id) == ("offered", burglary.pk)
    assert course(burglary) == [("patrol.offered", "near")]
    assert says(near, "accept", at(30)).refused == ""
    near.refresh_from_db()
    assert near.state == "sent"
    sent = Entry.objects.get(what="patrol.sent")
    assert (sent.clause, sent.reason, sent.actor) == ("S6.1", "accepted", "patrol:near")
    assert not AgendaRow.objects.filter(kind=dispatching.OFFER_END, done_at=None).exists()
    run(at(200))
    assert course(burglary) == [("patrol.offered", "near"), ("patrol.sent", "near")]
    far.refresh_from_db()
    assert far.state == "free"


@pytest.mark.clause("S6.1")
def test_who_does_not_answer_within_sixty_seconds_is_passed_over(
    town: Town, burglary: Incident
) -> None:
    near, far = unit(town, "near"), unit(town, "far", 9.0)
    commands.send_patrol(town.emma, burglary.pk, at(0))
    run(at(59.9))
    assert course(burglary) == [("patrol.offered", "near")]
    run(at(60))
    assert course(burglary)[1:] == [("patrol.unanswered", "near"), ("patrol.offered", "far")]
    near.refresh_from_db()
    assert (near.state, near.incident_id) == ("free", None)
    late = says(near, "accept", at(61))
    assert (late.refused, late.unit) == ("passed on", "far")
    near.refresh_from_db()
    assert near.state == "free"
    assert says(far, "accept", at(100)).refused == ""
    assert course(burglary)[-2:] == [("patrol.too_late", "near"), ("patrol.sent", "far")]


@pytest.mark.clause("S6.1")
def test_an_answer_at_exactly_sixty_seconds_is_in_time(town: Town, burglary: Incident) -> None:
    near = unit(town, "near")
    commands.send_patrol(town.emma, burglary.pk, at(0))
    assert job_of(near).answer_by == at(60)
    assert says(near, "accept", at(60)).refused == ""
    run(at(60))
    assert course(burglary)[-1] == ("patrol.sent", "near")


@pytest.mark.clause("S6.1")
def test_who_cannot_says_why_and_the_next_is_asked_at_once(town: Town, burglary: Incident) -> None:
    near, radio = unit(town, "near"), unit(town, "radio", 3.0, has_page=False)
    commands.send_patrol(town.emma, burglary.pk, at(0))
    assert says(near, "cannot", at(12), reason="no_car", note="flat tyre").refused == ""
    assert course(burglary)[1:] == [("patrol.declined", "near"), ("patrol.sent", "radio")]
    told = Entry.objects.get(what="patrol.declined")
    assert (told.clause, told.reason, told.data["note"]) == ("S6.1", "no_car", "flat tyre")
    radio.refresh_from_db()
    assert (radio.state, radio.incident_id) == ("sent", burglary.pk)


@pytest.mark.clause("S6.1")
def test_when_nobody_goes_the_operator_is_told_and_the_procedure_goes_on(
    town: Town, burglary: Incident
) -> None:
    near = unit(town, "near")
    commands.send_patrol(town.emma, burglary.pk, at(0))
    says(near, "cannot", at(5), reason="busy")
    refused = Entry.objects.get(what="patrol.refused")
    assert (refused.clause, refused.reason) == ("S6.1", "no patrol free")
    notice = Notice.objects.get(kind="patrol_none")
    assert (notice.clause, notice.incident_id) == ("S6.1", burglary.pk)
    burglary.refresh_from_db()
    step = procedures.current(incident_facts(burglary, at(6)), at(6))
    assert step is not None
    assert step.do == "call"


@pytest.mark.clause("S6.1")
def test_an_incident_is_not_proposed_for_closing_while_a_unit_thinks(
    town: Town, burglary: Incident
) -> None:
    near = unit(town, "near")
    incoming.someone_calls(town.emma, town.site.pk, town.key(), CODES[0], "send_patrol", at(5))
    burglary.refresh_from_db()
    assert burglary.closed_at is None
    assert procedures.proposed_close(incident_facts(burglary, at(6)), at(6)) is None
    says(near, "accept", at(20))
    proposed = procedures.proposed_close(incident_facts(burglary, at(21)), at(21))
    assert proposed is not None
    assert proposed.outcome == "handled"


@pytest.mark.clause("S6.1")
def test_asked_for_by_phone_without_an_incident_the_offer_goes_round_too(town: Town) -> None:
    town.site.options = ["patrol"]
    town.site.save()
    near, far = unit(town, "near"), unit(town, "other", 9.0)
    incoming.someone_calls(town.emma, town.site.pk, town.key(), CODES[0], "send_patrol", at(0))
    run(at(60))
    run(at(120))
    entries = Entry.objects.filter(site_id=town.site.pk, what__startswith="patrol.").order_by("id")
    words = [(entry.what, entry.recipient) for entry in entries]
    assert words == [
        ("patrol.offered", "near"), ("patrol.unanswered", "near"), ("patrol.offered", "other"),
        ("patrol.unanswered", "other"), ("patrol.refused", "patrol"),
    ]  # fmt: skip
    assert Notice.objects.filter(kind="patrol_none").count() == 1
    assert {near.pk, far.pk} == set(PatrolJob.objects.values_list("unit_id", flat=True))


@pytest.mark.clause("S6.1")
def test_off_shift_is_not_asked(town: Town, burglary: Incident) -> None:
    # NOW is a Monday at 22:00 in Brussels
    nights = {"days": [0, 1, 2, 3, 4], "from": "22:00", "until": "06:00"}
    unit(town, "days", shifts=[{"days": [0], "from": "06:00", "until": "22:00"}])
    unit(town, "nights", 5.0, shifts=[nights])
    commands.send_patrol(town.emma, burglary.pk, at(0))
    assert course(burglary) == [("patrol.offered", "nights")]


@pytest.mark.clause("S6.1")
def test_a_stale_position_is_ranked_behind_a_fresh_one(town: Town, burglary: Incident) -> None:
    unit(town, "near, but when", 1.0, positioned_at=NOW - timedelta(seconds=601))
    unit(town, "far", 9.0, positioned_at=NOW - timedelta(seconds=600))
    unit(town, "never said", 0.5, positioned_at=None)
    commands.send_patrol(town.emma, burglary.pk, at(0))
    assert course(burglary) == [("patrol.offered", "far")]


@pytest.mark.clause("S6.1")
def test_called_off_by_the_desk_and_sent_again(town: Town, burglary: Incident) -> None:
    near = unit(town, "near")
    commands.send_patrol(town.emma, burglary.pk, at(0))
    says(near, "accept", at(5))
    with pytest.raises(Refused, match="another provider's"):
        dispatching.withdraw(town.stranger, near.pk, "mine", at(6))
    with pytest.raises(Refused, match="missing"):
        dispatching.withdraw(town.jef, near.pk, "  ", at(6))
    dispatching.withdraw(town.jef, near.pk, "the owner is there", at(6))
    told = Entry.objects.get(what="patrol.withdrawn")
    assert (told.clause, told.reason, told.actor) == (
        "S6.1", "the owner is there", f"staff:{town.jef.pk}",
    )  # fmt: skip
    assert says(near, "arrived", at(7)).refused == "called off"
    assert commands.send_patrol(town.emma, burglary.pk, at(8))
    assert course(burglary)[-1] == ("patrol.offered", "near")


@pytest.mark.clause("S6.1")
def test_a_radio_unit_is_called_off_as_well(town: Town, burglary: Incident) -> None:
    radio = unit(town, "radio", has_page=False)
    commands.send_patrol(town.emma, burglary.pk, at(0))
    dispatching.withdraw(town.emma, radio.pk, "false alarm", at(6))
    radio.refresh_from_db()
    assert (radio.state, radio.incident_id) == ("free", None)
    with pytest.raises(Refused, match="not from where the patrol stands"):
        dispatching.withdraw(town.emma, radio.pk, "again", at(7))


@pytest.mark.clause("S6.1")
def test_the_desk_passes_on_what_a_unit_with_a_dead_phone_says(
    town: Town, burglary: Incident
) -> None:
    near = unit(town, "near")
    commands.send_patrol(town.emma, burglary.pk, at(0))
    for second, word in enumerate(("accepted", "arrived", "intruder", "done"), start=1):
        patrols.pass_on(town.emma, near.pk, word, at(second))
    job = job_of(near)
    assert (job.state, job.arrived_at, job.ended_at) == ("done", at(2), at(4))
    burglary.refresh_from_db()
    assert burglary.verified_by == "person"
    near.refresh_from_db()
    assert (near.state, near.incident_id) == ("free", None)


@pytest.mark.clause("S6.1", "M12.1")
def test_what_a_phone_sends_twice_is_taken_once(town: Town, burglary: Incident) -> None:
    near = unit(town, "near")
    commands.send_patrol(town.emma, burglary.pk, at(0))
    number = uuid4()
    first = says(near, "accept", at(5), number, said_at=at(4))
    second = says(near, "accept", at(9), number, said_at=at(4))
    assert (first.again, second.again, second.refused) == (False, True, "")
    assert course(burglary)[1:] == [("patrol.sent", "near")]
    row = PatrolEntry.objects.get(client_id=number)
    assert (row.said_at, row.received_at) == (at(4), at(5))
    assert Entry.objects.get(what="patrol.sent").data["phone_said_at"] == at(4).isoformat()


def test_where_the_phone_was_is_kept_with_what_happens_when_it_is_fresh(
    town: Town, burglary: Incident
) -> None:
    near = unit(town, "near")
    commands.send_patrol(town.emma, burglary.pk, at(0))
    says(near, "accept", at(5))
    assert Entry.objects.get(what="patrol.sent").data["place"] == [near.latitude, 4.4]
    patrol_commands.stands_at(near, 51.2001, 4.4002, at(200))
    says(near, "arrived", at(210))
    assert Entry.objects.get(what="patrol.arrived").data["place"] == [51.2001, 4.4002]
    says(near, "finding", at(400), finding="nothing")
    assert "place" not in Entry.objects.get(what="patrol.found").data


def test_where_the_office_put_a_unit_is_not_told_as_where_its_phone_was(
    town: Town, burglary: Incident
) -> None:
    near = unit(town, "near")
    commands.send_patrol(town.emma, burglary.pk, at(0))
    patrol_commands.change_unit(near.pk, {"latitude": 51.0, "longitude": 4.0}, at(3), "staff:1")
    says(near, "accept", at(5))
    assert "place" not in Entry.objects.get(what="patrol.sent").data


@pytest.mark.clause("S9.1", "S15.3")
@pytest.mark.parametrize(
    ("finding", "verified"),
    [("person", "person"), ("traces", "person"), ("nothing", ""), ("open", ""), ("damage", "")],
)
def test_what_is_found_on_site_verifies_only_when_it_shows_that_somebody_was_there(
    town: Town, burglary: Incident, finding: str, verified: str
) -> None:
    near = unit(town, "near")
    commands.send_patrol(town.emma, burglary.pk, at(0))
    says(near, "accept", at(5))
    assert says(near, "finding", at(6), finding=finding).refused == "not arrived yet"
    says(near, "arrived", at(7))
    assert says(near, "done", at(8)).refused == "nothing found yet"
    assert says(near, "finding", at(9), finding=finding, note="the back door").refused == ""
    burglary.refresh_from_db()
    assert burglary.verified_by == verified
    told = Entry.objects.get(what="patrol.found")
    assert (told.clause, told.data["finding"], told.data["note"]) == (
        "S6.1", finding, "the back door",
    )  # fmt: skip
    rests_on = Entry.objects.filter(what="incident.verified")
    assert [(e.clause, e.data["who"]) for e in rests_on] == [("S9.1", "near")] * bool(verified)
    commands.request_service(town.emma, burglary.pk, "police", at(10))
    # verified or not, nobody was consulted: S15.3 still stands in the way of the police
    assert Entry.objects.get(what="police.refused").clause == "S15.3"
    assert says(near, "done", at(11)).refused == ""
    near.refresh_from_db()
    assert (near.state, near.incident_id) == ("free", None)


@pytest.mark.clause("S6.1")
@pytest.mark.parametrize(
    ("outcome", "asked"), [("handled", "offered"), ("false_alarm", "free"), ("restored", "free")]
)
def test_the_next_is_asked_for_a_closed_incident_unless_nobody_need_go_there_any_more(
    town: Town, burglary: Incident, outcome: str, asked: str
) -> None:
    near, far = unit(town, "near"), unit(town, "far", 9.0)
    commands.send_patrol(town.emma, burglary.pk, at(0))
    Incident.objects.filter(pk=burglary.pk).update(
        state="closed", closed_at=at(1), owner=None, due=None, holder=None, outcome=outcome
    )
    assert says(near, "cannot", at(2), reason="busy").refused == ""
    far.refresh_from_db()
    assert far.state == asked


def test_more_photos_than_anybody_takes_are_refused_and_that_is_kept(
    town: Town, burglary: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patrol_replies, "PHOTOS_MOST", 1)
    near = unit(town, "near")
    commands.send_patrol(town.emma, burglary.pk, at(0))
    says(near, "accept", at(5))
    says(near, "arrived", at(6))
    assert says(near, "photo", at(7), photo=PHOTO).refused == ""
    assert says(near, "photo", at(8), photo=PHOTO).refused == "too many photos"
    assert PatrolPhoto.objects.count() == 1
    assert PatrolEntry.objects.filter(refused="too many photos").exists()


@pytest.mark.clause("S9.1")
def test_a_person_seen_after_the_incident_was_closed_opens_one_that_is_verified(
    town: Town, burglary: Incident
) -> None:
    near = unit(town, "near")
    commands.send_patrol(town.emma, burglary.pk, at(0))
    says(near, "accept", at(5))
    commands.close(town.emma, burglary.pk, "handled", at(6), attends="patrol", waive_reason="test")
    says(near, "arrived", at(7))
    assert says(near, "finding", at(8), finding="person").refused == ""
    new = Incident.objects.get(closed_at=None)
    assert (new.type, new.verified_by, new.state) == ("intrusion", "person", "queued")
    opened = Entry.objects.get(what="incident.opened", incident_id=new.pk)
    assert (opened.clause, opened.reason) == ("S9.1", "found by the patrol")
    assert Notice.objects.get(kind="patrol_found").incident_id == new.pk


def test_what_was_seen_on_site_counts_also_after_the_unit_was_called_off(
    town: Town, burglary: Incident
) -> None:
    near = unit(town, "near")
    commands.send_patrol(town.emma, burglary.pk, at(0))
    says(near, "accept", at(5))
    says(near, "arrived", at(6))
    dispatching.withdraw(town.emma, near.pk, "the owner is there", at(7))
    assert says(near, "finding", at(8), finding="traces").refused == ""
    burglary.refresh_from_db()
    assert burglary.verified_by == "person"


def test_photos_are_kept_byte_for_byte_with_their_digest(town: Town, burglary: Incident) -> None:
    near = unit(town, "near")
    commands.send_patrol(town.emma, burglary.pk, at(0))
    says(near, "accept", at(5))
    says(near, "arrived", at(6))
    with pytest.raises(Refused, match="photo not a photo"):
        says(near, "photo", at(7), photo=b"<svg onload=alert(1)>")
    assert not PatrolEntry.objects.filter(kind="photo").exists()
    assert says(near, "photo", at(8), photo=PHOTO).refused == ""
    row = PatrolPhoto.objects.get()
    told = Entry.objects.get(what="patrol.photo")
    assert bytes(row.content) == PHOTO
    assert told.data["sha256"] == row.sha256
    assert told.data["photo"] == row.pk


@pytest.mark.clause("S6.1")
def test_codes_are_shown_on_site_alone_and_never_in_the_journal(
    town: Town, burglary: Incident
) -> None:
    site_codes.put(town.site, "gate", "7204#", settings.MELDKAMER_SEALING_KEY, NOW, "staff:1")
    near, other = unit(town, "near"), unit(town, "other", 4.0)
    commands.send_patrol(town.emma, burglary.pk, at(0))
    job = job_of(near)
    for second, reason in ((1, "not accepted yet"), (6, "not arrived yet")):
        with pytest.raises(Refused, match=reason):
            patrol_replies.show_codes(near.pk, job.pk, at(second))
        says(near, "accept", at(second + 1))
    says(near, "arrived", at(8))
    with pytest.raises(Refused, match="no job of this unit"):
        patrol_replies.show_codes(other.pk, job.pk, at(9))
    assert patrol_replies.show_codes(near.pk, job.pk, at(9)) == {"gate": "7204#"}
    told = Entry.objects.get(what="patrol.codes_shown")
    assert (told.recipient, told.clause, told.data["kinds"]) == ("near", "S6.1", ["gate"])
    says(near, "finding", at(10), finding="nothing")
    says(near, "done", at(11))
    with pytest.raises(Refused, match="done before"):
        patrol_replies.show_codes(near.pk, job.pk, at(12))
    assert not [e for e in Entry.objects.all() if "7204" in f"{e.data}{e.reason}{e.recipient}"]
    sealed = bytes(town.site.site_codes.get().sealed)
    assert b"7204" not in sealed


def test_the_applications_role_may_do_all_of_it(
    town: Town, burglary: Incident, as_application: None
) -> None:
    site_codes.put(town.site, "gate", "7204#", settings.MELDKAMER_SEALING_KEY, NOW, "staff:1")
    near, far = unit(town, "near"), unit(town, "far", 9.0)
    issued = patrol_commands.issue(near.pk, NOW, "staff:1")
    patrol_commands.enter(issued.token, issued.pin, NOW)
    commands.send_patrol(town.emma, burglary.pk, at(0))
    says(near, "cannot", at(1), reason="busy")
    says(far, "accept", at(2))
    says(far, "arrived", at(3))
    says(far, "photo", at(4), photo=PHOTO)
    assert patrol_replies.show_codes(far.pk, job_of(far).pk, at(5))
    says(far, "finding", at(6), finding="nothing")
    assert says(far, "done", at(7)).refused == ""


def test_a_strangers_job_is_no_job(town: Town, burglary: Incident) -> None:
    near, other = unit(town, "near"), unit(town, "other", 4.0)
    commands.send_patrol(town.emma, burglary.pk, at(0))
    said = Said(uuid4(), job_of(near).pk, "accept")
    with pytest.raises(Refused, match="no job of this unit"):
        patrol_replies.take(other.pk, said, at(1))


@pytest.mark.clause("S6.1")
def test_two_desks_never_offer_one_unit_twice(committed_town: Town) -> None:
    town = committed_town
    incident = in_hands(town)
    second = town.build_site("Ter Linde", options=["patrol"], codes=False)
    town.signal(site=second)
    run(NOW)
    theirs = Incident.objects.get(site=second)
    commands.take(town.jef, theirs.pk, NOW)
    one = unit(town, "one")
    results = together(
        partial(commands.send_patrol, town.emma, incident.pk, at(1)),
        partial(commands.send_patrol, town.jef, theirs.pk, at(1)),
    )
    assert faults(results) == []
    assert sorted(results) == [False, True]
    assert PatrolJob.objects.filter(unit=one).count() == 1
    assert Entry.objects.filter(what="patrol.refused", clause="S6.1").count() == 1


@pytest.mark.clause("S6.1")
def test_two_phones_of_one_unit_and_a_desk_at_once_leave_one_answer(committed_town: Town) -> None:
    town = committed_town
    incident = in_hands(town)
    near = unit(town, "near")
    commands.send_patrol(town.emma, incident.pk, at(0))
    same = uuid4()
    results = together(
        partial(says, near, "accept", at(5), same),
        partial(says, near, "accept", at(5), same),
        partial(dispatching.withdraw, town.jef, near.pk, "a mistake", at(5)),
    )
    assert faults(results) == []
    assert PatrolEntry.objects.filter(client_id=same).count() == 1
    assert job_of(near).state == "withdrawn"
    words = [what for what, _ in course(incident)]
    assert words.count("patrol.sent") + words.count("patrol.too_late") == 1
    near.refresh_from_db()
    assert (near.state, near.incident_id) == ("free", None)
