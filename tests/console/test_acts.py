"""What an operator does, by the addresses that the keys press."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from meldkamer.incidents import commands
from meldkamer.incidents.models import Incident, Notice
from meldkamer.journal.models import Entry
from meldkamer.people.models import Staff
from meldkamer.sites.models import Contact, Site
from tests.console.scene import CODE, Scene, burglary
from tests.console.test_access import logged_in


def act(desk: Client, incident: Incident, name: str, **fields: str) -> str:
    answer = desk.post(f"/incident/{incident.pk}/{name}/", fields)
    assert answer.status_code == 200, answer.content[:300]
    incident.refresh_from_db()
    return answer.content.decode()


def contact(site: Site, position: int) -> Contact:
    return site.contacts.get(position=position)


def call(desk: Client, incident: Incident, step: str, result: str, says: str = "") -> str:
    act(desk, incident, "dial", step=step)
    return act(desk, incident, "result", step=step, result=result, says=says)


def consult(desk: Client, incident: Incident, site: Site) -> str:
    """Premises: no answer; the first contact: name and code, real alarm, comes."""
    call(desk, incident, "call:premises", "no_answer")
    person = contact(site, 1)
    act(desk, incident, "dial", step=f"call:c{person.pk}")
    act(desk, incident, "code", person=f"c{person.pk}", code=f"1{CODE[1:]}")
    return act(desk, incident, "result", step=f"call:c{person.pk}", result="reached", says="coming")


@pytest.mark.clause("S15.2", "S15.3", "M3.1")
def test_a_burglary_is_handled_to_the_end(
    scene: Scene, desk: Client, site: Site, taken: Incident
) -> None:
    scene.signal(site, zone="5", at=scene.now + timedelta(seconds=20))
    page = consult(desk, taken, site)
    assert "Call the police" in page
    sheet = act(desk, taken, "service", service="police")
    assert "call sheet" in sheet
    act(desk, taken, "service", service="police", confirm="1", attends="Sofie", eta="03:05")
    act(desk, taken, "seen")
    act(desk, taken, "close", outcome="handled")
    assert taken.outcome == "handled"
    told = list(Entry.objects.filter(incident_id=taken.pk).values_list("what", flat=True))
    assert "police.requested" in told
    assert "service.attended" in told


@pytest.mark.clause("S15.3")
def test_police_too_early_is_refused_with_clause_and_reason_and_journaled(
    desk: Client, taken: Incident
) -> None:
    page = act(desk, taken, "service", service="police")
    assert "Police not called." in page
    assert "Not verified yet." in page
    assert "S15.3" in page
    assert Entry.objects.filter(incident_id=taken.pk, what="police.refused").count() == 1


@pytest.mark.clause("S15.3")
def test_police_refused_too_early_is_offered_when_its_turn_comes(
    scene: Scene, desk: Client, site: Site, taken: Incident
) -> None:
    act(desk, taken, "service", service="police")
    scene.signal(site, zone="5", at=scene.now + timedelta(seconds=20))
    page = consult(desk, taken, site)
    current = page.split('class="step current"')[1].split("</li>")[0]
    assert "Call the police" in current


@pytest.mark.clause("S19.1")
def test_a_wrong_code_says_how_many_tries_are_left_and_never_why(
    desk: Client, site: Site, taken: Incident
) -> None:
    act(desk, taken, "dial", step="call:premises")
    page = act(desk, taken, "code", person="premises", code="999999")
    assert "Wrong code. 2 tries left." in page
    assert "999999" not in page
    act(desk, taken, "code", person="premises", code="999998")
    act(desk, taken, "code", person="premises", code="999997")
    page = act(desk, taken, "code", person="premises", code=f"1{CODE[1:]}")
    assert "No tries left in this call." in page


@pytest.mark.clause("M7.1")
def test_a_duress_code_is_seen_by_the_operator(
    scene: Scene, desk: Client, site: Site, taken: Incident
) -> None:
    person = contact(site, 1)
    scene.code(person, "777777", duress=True)
    act(desk, taken, "dial", step="call:premises")
    page = act(desk, taken, "code", person=f"c{person.pk}", code="777777")
    assert "Duress code." in page
    page = act(desk, taken, "result", step="call:premises", result="reached", says="false_alarm")
    assert taken.type == "holdup"
    assert taken.outcome is None
    assert "Call the police" in page.split('class="step current"')[1].split("</li>")[0]


@pytest.mark.clause("M3.1")
def test_closing_with_an_open_step_is_refused_and_can_be_waived(
    desk: Client, taken: Incident
) -> None:
    page = act(desk, taken, "close", outcome="handled")
    assert "Not closed." in page
    assert "A required step is open." in page
    assert taken.state == "taken"
    act(desk, taken, "close", outcome="handled", waive="caller at the door, known by voice")
    assert taken.outcome == "handled"


@pytest.mark.clause("M3.1")
def test_a_new_signal_must_be_seen_before_closing(
    scene: Scene, desk: Client, site: Site, taken: Incident
) -> None:
    scene.signal(site, zone="7", at=scene.now + timedelta(seconds=30))
    page = desk.get(f"/incident/{taken.pk}/").content.decode()
    assert "New signal of this site" in page
    page = act(desk, taken, "close", outcome="handled", waive="in a hurry")
    assert "were not seen yet" in page
    page = act(desk, taken, "seen")
    assert "New signal of this site" not in page
    act(desk, taken, "close", outcome="handled", waive="in a hurry")
    assert taken.outcome == "handled"


def test_a_restore_is_no_news(scene: Scene, desk: Client, site: Site, taken: Incident) -> None:
    scene.signal(
        site, "BR", "restore", "3", role="restore", restores="intrusion",
        at=scene.now + timedelta(seconds=30),
    )  # fmt: skip
    taken.refresh_from_db()
    assert taken.unseen == 0
    page = desk.get(f"/incident/{taken.pk}/").content.decode()
    assert "all zones, at" in page


def test_the_first_to_accept_has_it_and_the_second_is_told(
    scene: Scene, desk: Client, taken: Incident
) -> None:
    second = logged_in(scene.staff("jan", name="Jules Dubois"))
    page = act(second, taken, "take")
    assert "has this incident" in page
    assert "O takes over" in page
    assert taken.holder.username == "eva"  # type: ignore[union-attr]


def test_taking_over_asks_a_reason_and_tells_the_holder(
    scene: Scene, desk: Client, taken: Incident
) -> None:
    second = logged_in(scene.staff("jan", name="Jules Dubois"))
    assert "A take-over has a reason." in act(second, taken, "take-over", reason=" ")
    act(second, taken, "take-over", reason="caller speaks French")
    assert taken.holder.username == "jan"  # type: ignore[union-attr]
    page = act(desk, taken, "note", text="still mine?")
    assert "J. Dubois" in desk.get(f"/incident/{taken.pk}/").content.decode()
    page = act(desk, taken, "dial", step="call:premises")
    assert "has this incident" in page


@pytest.mark.clause("M12.2")
def test_holding_is_bounded_and_has_a_reason(desk: Client, taken: Incident) -> None:
    assert "1 to 15 minutes" in act(desk, taken, "hold", minutes="16", reason="patrol")
    assert "1 to 15 minutes" in act(desk, taken, "hold", minutes="-3", reason="patrol")
    assert "Holding has a reason." in act(desk, taken, "hold", minutes="5", reason="")
    page = act(desk, taken, "hold", minutes="5", reason="patrol")
    assert taken.state == "held"
    assert "Go on now" in page
    act(desk, taken, "take")
    assert taken.state == "taken"


def test_releasing_puts_it_back(desk: Client, taken: Incident) -> None:
    act(desk, taken, "release")
    assert taken.state == "queued"


def test_a_supervisor_is_called_in_with_a_notice(
    scene: Scene, desk: Client, taken: Incident
) -> None:
    act(desk, taken, "supervisor", reason="neighbour hears glass")
    boss = logged_in(scene.staff("sam", "supervisor"))
    assert "neighbour hears glass" in boss.get("/lists/notices/").content.decode()


@pytest.mark.clause("S15.3", "B1")
def test_only_a_supervisor_overrides_and_only_when_verified(
    scene: Scene, desk: Client, site: Site, taken: Incident
) -> None:
    assert "Only a supervisor may override." in act(desk, taken, "override", reason="x")
    boss = logged_in(scene.staff("sam", "supervisor"))
    assert "Police not called." in act(boss, taken, "override", reason="shots heard")
    scene.signal(site, zone="5", at=scene.now + timedelta(seconds=20))
    act(boss, taken, "override", reason="shots heard")
    assert taken.outcome == "handled"


@pytest.mark.clause("S15.3")
def test_a_supervisor_who_is_called_in_sees_it_at_his_desk_until_he_has_seen_it(
    scene: Scene, desk: Client
) -> None:
    site = scene.site("Bakker Twee", contacts=2)
    incident = burglary(scene, site, verified=True)
    act(desk, incident, "take")
    assert not Notice.objects.exists()
    people = [f"call:c{contact(site, position).pk}" for position in (1, 2)]
    for step in ("call:premises", *people):
        call(desk, incident, step, "no_answer")
    boss = logged_in(scene.staff("sam", "supervisor"))
    called_in = "S15.3: called in"
    queue = {"HX-Request": "true"}
    assert called_in in boss.get("/queue/", headers=queue).content.decode()
    assert called_in not in desk.get("/queue/", headers=queue).content.decode()
    page = boss.get("/lists/notices/").content.decode()
    assert "supervisor asked for" in page
    assert "verified, nobody reached" in page
    assert f"/incident/{incident.pk}/" in page
    notice = Notice.objects.get(incident=incident)
    assert notice.clause == "S15.3"
    boss.post(f"/notices/{notice.pk}/seen/")
    assert called_in not in boss.get("/queue/", headers=queue).content.decode()


@pytest.mark.clause("S6.1")
def test_a_patrol_that_was_not_taken_is_refused(scene: Scene, desk: Client) -> None:
    bare = scene.site("Bakker Zonder", contacts=2)
    incident = burglary(scene, bare)
    act(desk, incident, "take")
    page = act(desk, incident, "patrol")
    assert "Patrol not sent." in page
    assert "S6.1" in page


def test_a_patrol_waits_for_the_call_list(desk: Client, taken: Incident) -> None:
    page = act(desk, taken, "patrol")
    assert "Patrol not sent." in page


@pytest.mark.clause("S9.1")
def test_images_of_an_intruder_verify(desk: Client, taken: Incident) -> None:
    act(desk, taken, "images", found="intruder")
    assert taken.verified_by == "camera"


@pytest.mark.clause("S9.1")
def test_images_are_judged_where_there_are_cameras_and_nowhere_else(
    desk: Client, site: Site, taken: Incident
) -> None:
    assert 'data-key="c"' not in desk.get(f"/incident/{taken.pk}/").content.decode()
    site.options = ["video"]
    site.save()
    page = desk.get(f"/incident/{taken.pk}/").content.decode()
    assert 'data-key="c"' in page
    assert 'data-key="j"' in page


def test_a_service_that_does_not_answer_is_noted_and_stays(
    scene: Scene, desk: Client, site: Site, taken: Incident
) -> None:
    scene.signal(site, zone="5", at=scene.now + timedelta(seconds=20))
    consult(desk, taken, site)
    page = act(desk, taken, "service-result", service="police", number="101", result="no_answer")
    assert "101: no answer" in page
    assert "call sheet" in page


def test_what_was_released_by_time_is_told_when_a_key_comes_late(
    scene: Scene, desk: Client, taken: Incident, operator: Staff
) -> None:
    commands.release(operator, taken.pk, scene.now)
    page = act(desk, taken, "dial", step="call:premises")
    assert "no longer in your hands" in page


def test_an_unknown_act_does_not_exist(desk: Client, taken: Incident) -> None:
    assert desk.post(f"/incident/{taken.pk}/explode/").status_code == 404


@pytest.mark.parametrize("name", ["take", "close", "note"])
def test_looking_does_not_act(desk: Client, taken: Incident, name: str) -> None:
    assert desk.get(f"/incident/{taken.pk}/{name}/").status_code == 405


# --- someone calls in


@pytest.mark.clause("S19.1", "S12.1")
def test_a_caller_with_a_wrong_code_learns_and_changes_nothing(
    desk: Client, site: Site, taken: Incident
) -> None:
    person = contact(site, 1)
    page = desk.post(
        f"/caller/{site.pk}/says/",
        {"person": f"c{person.pk}", "code": "000000", "says": "false_alarm"},
    ).content.decode()
    taken.refresh_from_db()
    assert "Name and code do not fit together." in page
    assert taken.outcome is None
    assert "0475" not in page


@pytest.mark.clause("S12.1")
def test_an_identified_caller_says_false_alarm(desk: Client, site: Site, taken: Incident) -> None:
    person = contact(site, 1)
    page = desk.post(
        f"/caller/{site.pk}/says/",
        {"person": f"c{person.pk}", "code": f"1{CODE[1:]}", "says": "false_alarm"},
    ).content.decode()
    taken.refresh_from_db()
    assert "Name and code fit." in page
    assert taken.outcome == "false_alarm"


@pytest.mark.clause("S20.1")
def test_a_test_is_started_by_telephone_and_stands_on_the_list(desk: Client, site: Site) -> None:
    person = contact(site, 1)
    desk.post(
        f"/caller/{site.pk}/says/",
        {
            "person": f"c{person.pk}",
            "code": f"1{CODE[1:]}",
            "says": "start_test",
            "hours": "2",
        },
    )
    page = desk.get("/lists/tests/").content.decode()
    assert site.name in page
    assert "S20.1" in page


@pytest.mark.clause("S24.1")
def test_a_cry_for_help_needs_no_code(desk: Client, site: Site) -> None:
    page = desk.post(
        f"/caller/{site.pk}/says/", {"person": "premises", "code": "", "says": "help"}
    ).content.decode()
    assert "Not identified: the alarm is raised" in page
    assert Incident.objects.get(site=site).type == "holdup"


@pytest.mark.clause("S24.1")
def test_an_incident_is_opened_by_hand(desk: Client, site: Site) -> None:
    missing = desk.post(f"/caller/{site.pk}/open/", {"type": "fire", "reason": " "})
    assert "Opening by hand has a reason." in missing.content.decode()
    desk.post(f"/caller/{site.pk}/open/", {"type": "fire", "reason": "smoke seen by a neighbour"})
    assert Incident.objects.get(site=site).type == "fire"


def test_before_name_and_code_a_caller_s_record_is_closed(desk: Client, site: Site) -> None:
    page = desk.get(f"/caller/{site.pk}/").content.decode()
    assert site.name in page
    assert "0475" not in page
    assert site.key_note not in page


@pytest.mark.parametrize(
    "words", ["apotheek", "Van Damme Gent", "1001", "0475 00 12 38", "Claes", "Kortrijkse"]
)
def test_a_site_is_found_by(desk: Client, site: Site, words: str) -> None:
    found = desk.get("/find/", {"words": words}).content.decode()
    if words.startswith("0475"):
        found = desk.get("/find/", {"words": words.replace(" ", "")}).content.decode()
    assert site.name in found


def test_what_is_like_it_is_offered(desk: Client, site: Site) -> None:
    found = desk.get("/find/", {"words": "Apotheek Kortrijkstraat"}).content.decode()
    assert "No site for" in found
    assert site.name in found
