"""What operators may do with an incident, and what is refused with its clause."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import pytest

from meldkamer.engine import cycle
from meldkamer.incidents import commands
from meldkamer.incidents.faults import Gone, NotYours, Refused
from meldkamer.incidents.models import Incident, Notice
from meldkamer.incidents.telephone import incoming
from meldkamer.journal import commands as journal
from meldkamer.notify.models import PatrolUnit
from meldkamer.people.models import Staff
from tests.incidents.together import faults, together
from tests.incidents.town import CODES, DURESS, NOW, Town, at, row_of, run, told


def taken(town: Town, type: str = "intrusion") -> Incident:
    """An incident in emma's hands."""
    return commands.take(town.emma, town.incident(type).pk, NOW)


def called(
    town: Town, incident: Incident, to: str, result: str, says: str = "", identity: str = "right"
) -> None:
    """Emma calls somebody and says what came of it."""
    commands.dial(town.emma, incident.pk, f"call:{to}", NOW)
    commands.call_result(town.emma, incident.pk, f"call:{to}", result, says, NOW, identity=identity)


# --- taking


@pytest.mark.clause("M12.2")
@pytest.mark.django_db(transaction=True)
def test_of_two_who_accept_at_once_exactly_one_has_it(committed_town: Town) -> None:
    town = committed_town
    for number in range(5):
        site = town.build_site(f"Site {number}", codes=False)
        town.signal(site=site)
        cycle.judge_all(NOW)
        incident = Incident.objects.get(site=site)
        results = together(
            *(partial(commands.take, who, incident.pk, NOW) for who in (town.emma, town.jef))
        )
        [lost] = faults(results)
        assert isinstance(lost, NotYours)
        incident.refresh_from_db()
        [won] = [result for result in results if isinstance(result, Incident)]
        assert incident.holder_id == won.holder_id
        assert lost.detail["holder"] == str(incident.holder)
        assert len(told("incident.taken", incident)) == 1


@pytest.mark.clause("S15.1")
@pytest.mark.django_db(transaction=True)
def test_two_who_take_the_next_at_once_have_two_different_ones(committed_town: Town) -> None:
    town = committed_town
    town.incident("intrusion")
    town.incident("fire")
    results = together(
        lambda: commands.take_next(town.emma, NOW), lambda: commands.take_next(town.jef, NOW)
    )
    assert faults(results) == []
    assert {result.type for result in results} == {"intrusion", "fire"}


@pytest.mark.clause("M12.3")
def test_another_providers_incident_is_neither_seen_nor_touched(town: Town) -> None:
    incident = town.incident()
    assert commands.in_order(town.stranger, NOW) == []
    assert commands.take_next(town.stranger, NOW) is None
    for attempt in (
        lambda: commands.take(town.stranger, incident.pk, NOW),
        lambda: commands.take_over(town.stranger, incident.pk, "I want it", NOW),
        lambda: commands.note(town.stranger, incident.pk, "seen", NOW),
        lambda: commands.judge_images(town.stranger, incident.pk, "intruder", NOW),
        lambda: commands.override_police(town.stranger, incident.pk, "I say so", NOW),
        lambda: commands.call_supervisor(town.stranger, incident.pk, "", NOW),
        lambda: incoming.open_by_hand(town.stranger, town.site.pk, "fire", "smoke", NOW),
        lambda: incoming.someone_calls(
            town.stranger, town.site.pk, town.key(), CODES[0], "help", NOW
        ),
    ):
        with pytest.raises(Refused, match="another provider"):
            attempt()
    incident.refresh_from_db()
    assert (incident.state, incident.verified_by) == ("queued", "")


@pytest.mark.clause("M12.2")
def test_only_the_holder_works_an_incident_and_a_take_over_has_a_reason(town: Town) -> None:
    incident = taken(town)
    with pytest.raises(NotYours):
        commands.dial(town.jef, incident.pk, "call:premises", NOW)
    with pytest.raises(NotYours):
        commands.close(town.jef, incident.pk, "handled", NOW)
    with pytest.raises(Refused, match="reason"):
        commands.take_over(town.jef, incident.pk, "  ", NOW)
    commands.take_over(town.jef, incident.pk, "emma went home", NOW)
    incident.refresh_from_db()
    assert incident.holder == town.jef
    with pytest.raises(NotYours):
        commands.stay(town.emma, incident.pk, NOW)


# --- keeping and climbing


@pytest.mark.clause("M12.2")
def test_an_idle_operator_loses_his_incident_and_one_who_stays_keeps_it(town: Town) -> None:
    incident = taken(town)
    commands.stay(town.emma, incident.pk, at(100))
    run(at(219))
    incident.refresh_from_db()
    assert (incident.state, incident.holder) == ("taken", town.emma)
    run(at(220))
    incident.refresh_from_db()
    assert (incident.state, incident.holder, incident.owner) == ("queued", None, "operators")
    assert "idle" in told("incident.queued", incident)[-1].reason


@pytest.mark.clause("M12.2")
def test_holding_has_a_reason_and_a_ceiling_and_comes_back_by_itself(town: Town) -> None:
    incident = taken(town)
    with pytest.raises(Refused, match="reason"):
        commands.hold(town.emma, incident.pk, 5, " ", NOW)
    for minutes in (0, -1, 16, 10**6):
        with pytest.raises(Refused, match="bounded") as refusal:
            commands.hold(town.emma, incident.pk, minutes, "waits for the patrol", NOW)
        assert refusal.value.detail["ceiling_min"] == 15
    commands.hold(town.emma, incident.pk, 15, "waits for the patrol", NOW)
    assert row_of(incident).due == at(900)
    run(at(899))
    incident.refresh_from_db()
    assert incident.state == "held"
    run(at(900))
    incident.refresh_from_db()
    assert (incident.state, incident.holder, incident.due) == ("taken", town.emma, at(1020))


@pytest.mark.clause("M12.2")
def test_an_untouched_incident_climbs_to_the_supervisor_and_reminds_him_for_ever(
    town: Town,
) -> None:
    incident = town.incident()
    owners = []
    for second in range(0, 3600, 20):
        run(at(second))
        incident.refresh_from_db()
        assert incident.due is not None
        assert row_of(incident).due == incident.due
        if incident.owner not in owners:
            owners.append(incident.owner)
    assert owners == ["operators", "everyone", "supervisor"]
    assert len(told("supervisor.notified", incident)) == 1
    reminders = told("supervisor.reminded", incident)
    assert len(reminders) >= 10
    gaps = {(b.at - a.at).total_seconds() for a, b in pairwise(reminders)}
    assert gaps == {300.0}


@pytest.mark.clause("M12.2")
def test_the_supervisors_list_is_announced_when_nobody_takes_an_incident(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    announced: list[str] = []
    monkeypatch.setattr(journal, "announce", announced.append)
    town.incident()
    run(at(20))
    assert "notices" not in announced
    for second in range(40, 600, 20):
        run(at(second))
    listed = Notice.objects.filter(kind="untouched", clause="M12.2").count()
    assert announced.count("notices") == listed > 0


@pytest.mark.clause("M12.2")
def test_after_a_long_outage_of_the_workers_it_still_reaches_the_supervisor(town: Town) -> None:
    incident = town.incident()
    run(at(86_400))
    incident.refresh_from_db()
    assert incident.owner == "supervisor"
    assert incident.due is not None
    assert incident.due > at(86_400)


@pytest.mark.clause("M12.2")
def test_a_row_that_comes_too_early_leaves_its_incident_on_the_agenda(town: Town) -> None:
    incident = town.incident()
    row = row_of(incident)
    row.due = NOW
    row.save()
    run(at(1))
    assert row_of(incident).due == incident.due


# --- closing


@pytest.mark.clause("M3.1")
def test_closing_waits_until_new_signals_were_seen(town: Town) -> None:
    incident = taken(town)
    called(town, incident, "premises", "reached", "false_alarm")
    town.signal(zone="2", when=at(1))
    cycle.judge_all(at(1))
    with pytest.raises(Refused, match="not seen") as refusal:
        commands.close(town.emma, incident.pk, "false_alarm", at(2))
    assert refusal.value.detail["unseen"] == 1
    commands.see_signals(town.emma, incident.pk, at(2))
    commands.close(town.emma, incident.pk, "false_alarm", at(3))
    incident.refresh_from_db()
    assert (incident.state, incident.outcome) == ("closed", "false_alarm")


@pytest.mark.clause("M3.1")
def test_closing_is_refused_while_a_step_is_open_unless_it_is_waived(town: Town) -> None:
    incident = taken(town)
    with pytest.raises(Refused, match="step is open") as refusal:
        commands.close(town.emma, incident.pk, "handled", NOW)
    assert refusal.value.detail["step"] == "call:premises"
    with pytest.raises(Refused, match="unknown outcome"):
        commands.close(town.emma, incident.pk, "forgotten", NOW, waive_reason="x")
    commands.close(town.emma, incident.pk, "handled", NOW, waive_reason="the site burned down")
    assert told("incident.closed", incident)[0].reason == "the site burned down"
    with pytest.raises(Gone):
        commands.close(town.emma, incident.pk, "handled", NOW)


@pytest.mark.clause("S19.1")
def test_no_reason_closes_as_false_what_nobody_identified_called_false(town: Town) -> None:
    incident = taken(town)
    called(town, incident, "premises", "reached", "false_alarm", identity="wrong")
    with pytest.raises(Refused, match="nobody identified"):
        commands.close(town.emma, incident.pk, "false_alarm", NOW, waive_reason="I know him")


@pytest.mark.clause("M7.1")
def test_after_a_duress_code_nothing_is_closed_as_false(town: Town) -> None:
    incident = taken(town, "fire")
    called(town, incident, "premises", "reached", "false_alarm")
    town.give_code(town.contact(2), DURESS, duress=True)
    incoming.someone_calls(town.emma, town.site.pk, town.key(2), DURESS, "false_alarm", NOW)
    holdup = Incident.objects.get(site=town.site, type="holdup")
    commands.take_over(town.emma, holdup.pk, "duress", NOW)
    with pytest.raises(Refused):
        commands.close(town.emma, holdup.pk, "false_alarm", NOW, waive_reason="said so")
    holdup.refresh_from_db()
    assert holdup.closed_at is None


@pytest.mark.clause("M3.1")
def test_after_a_service_was_asked_closing_says_who_attends(town: Town) -> None:
    incident = taken(town, "holdup")
    called(town, incident, "premises", "no_answer")
    assert commands.request_service(town.emma, incident.pk, "police", NOW)
    incident.refresh_from_db()
    with pytest.raises(Refused, match="who attends"):
        commands.close(town.emma, incident.pk, "handled", NOW)
    commands.close(town.emma, incident.pk, "handled", NOW, attends="zone Antwerpen, 8 min")
    assert told("service.attended", incident)[0].data["attends"] == "zone Antwerpen, 8 min"


# --- identification


@pytest.mark.clause("S19.1")
def test_a_code_is_tried_three_times_a_call_and_the_next_call_begins_anew(town: Town) -> None:
    incident = taken(town)
    commands.dial(town.emma, incident.pk, "call:premises", NOW)
    for left in (2, 1, 0):
        checked = commands.check_code(town.emma, incident.pk, town.key(), "000000", NOW)
        assert (checked.outcome, checked.left) == ("wrong", left)
    with pytest.raises(Refused, match="no tries left"):
        commands.check_code(town.emma, incident.pk, town.key(), CODES[0], NOW)
    commands.call_result(town.emma, incident.pk, "call:premises", "reached", "false_alarm", NOW)
    incident.refresh_from_db()
    assert incident.closed_at is None
    assert told("identification.failed", incident)
    commands.dial(town.emma, incident.pk, f"call:{town.key()}", NOW)
    assert commands.check_code(town.emma, incident.pk, town.key(), CODES[0], NOW).outcome == "right"
    entries = told("identity.checked", incident)
    assert len(entries) == 4
    assert not any(code in str(entry.data) for entry in entries for code in (*CODES, "000000"))


@pytest.mark.clause("S19.1")
def test_a_second_press_of_the_key_is_the_same_call_and_gives_no_new_tries(town: Town) -> None:
    incident = taken(town)
    commands.dial(town.emma, incident.pk, "call:premises", NOW)
    for _ in range(3):
        commands.check_code(town.emma, incident.pk, town.key(), "000000", NOW)
        commands.dial(town.emma, incident.pk, "call:premises", NOW)
    assert len(told("call.placed", incident)) == 1
    with pytest.raises(Refused, match="no tries left"):
        commands.check_code(town.emma, incident.pk, town.key(), CODES[0], NOW)


@pytest.mark.clause("S19.1")
def test_who_takes_an_incident_over_calls_and_identifies_anew(town: Town) -> None:
    incident = taken(town)
    commands.dial(town.emma, incident.pk, "call:premises", NOW)
    assert commands.check_code(town.emma, incident.pk, town.key(), CODES[0], NOW).outcome == "right"
    commands.take_over(town.jef, incident.pk, "emma left", NOW)
    commands.dial(town.jef, incident.pk, "call:premises", NOW)
    assert len(told("call.placed", incident)) == 2
    commands.call_result(town.jef, incident.pk, "call:premises", "reached", "false_alarm", NOW)
    incident.refresh_from_db()
    assert incident.closed_at is None


@pytest.mark.clause("S18.1", "S19.1")
def test_name_and_code_belong_together(town: Town) -> None:
    incident = taken(town)
    commands.dial(town.emma, incident.pk, "call:premises", NOW)
    another = commands.check_code(town.emma, incident.pk, town.key(1), CODES[1], NOW)
    assert another.outcome == "wrong"


@pytest.mark.clause("S19.2")
def test_no_code_is_asked_for_a_battery(town: Town) -> None:
    site = town.site
    site.contacts.update(phone="+3232345678")
    incident = taken(town, "battery")
    called(town, incident, town.key(), "reached", "nothing", identity="none")
    assert not told("identification.failed", incident)
    assert commands.close_as_proposed(town.emma, incident.pk, NOW)


# --- callers


@pytest.mark.clause("S12.1")
def test_a_caller_says_false_alarm_and_it_is_closed(town: Town) -> None:
    incident = town.incident()
    assert (
        incoming.someone_calls(town.emma, town.site.pk, town.key(), CODES[0], "false_alarm", NOW)
        == "right"
    )
    incident.refresh_from_db()
    assert (incident.outcome, incident.state) == ("false_alarm", "closed")


@pytest.mark.clause("S12.1")
@pytest.mark.parametrize(("later_s", "state"), [(300, "closed"), (301, "queued")])
def test_a_false_alarm_foretold_is_remembered_five_minutes(
    town: Town, later_s: int, state: str
) -> None:
    incoming.someone_calls(town.emma, town.site.pk, town.key(), CODES[0], "false_alarm", NOW)
    assert town.incident(when=at(later_s)).state == state


@pytest.mark.clause("S12.1", "S19.1")
@pytest.mark.parametrize("code", ["", "000000", CODES[1], "12345", "abcdef"])
@pytest.mark.parametrize("says", ["false_alarm", "start_test", "end_test", "send_patrol"])
def test_a_caller_without_the_right_code_changes_nothing(town: Town, code: str, says: str) -> None:
    incident = town.incident()
    before = (incident.state, incident.due, incident.version)
    found = incoming.someone_calls(town.emma, town.site.pk, town.key(1), code, says, NOW)
    assert found in ("wrong", "none")
    incident.refresh_from_db()
    assert (incident.state, incident.due, incident.version) == before
    assert not town.site.tests.exists()
    assert told("identification.failed")
    assert not told("patrol.sent")


@pytest.mark.clause("S19.1", "S24.1")
def test_a_caller_without_a_code_may_always_raise_an_alarm(town: Town) -> None:
    incoming.someone_calls(town.emma, town.site.pk, "", "", "help", NOW, caller="somebody")
    incident = Incident.objects.get(type="holdup")
    assert (incident.state, incident.verified_by) == ("queued", "person")


# --- services and patrols


@pytest.mark.clause("S15.3")
def test_police_are_refused_for_what_is_not_verified_or_nobody_was_consulted(town: Town) -> None:
    incident = taken(town)
    assert not commands.request_service(town.emma, incident.pk, "police", NOW)
    refusal = told("police.refused", incident)[0]
    assert (refusal.clause, refusal.data["missing"]) == ("S15.3", ["verified", "consulted"])
    assert not told("police.requested", incident)


@pytest.mark.clause("S15.3", "B1")
def test_only_a_supervisor_overrides_with_a_reason_and_only_what_is_verified(town: Town) -> None:
    incident = taken(town)
    with pytest.raises(Refused, match="supervisor"):
        commands.override_police(town.emma, incident.pk, "I see them", NOW)
    with pytest.raises(Refused, match="written reason"):
        commands.override_police(town.sofie, incident.pk, "", NOW)
    assert not commands.override_police(town.sofie, incident.pk, "I see them", NOW)
    commands.judge_images(town.emma, incident.pk, "intruder", NOW)
    assert commands.override_police(town.sofie, incident.pk, "two men on the images", NOW)
    incident.refresh_from_db()
    assert incident.outcome == "handled"
    request = told("police.requested", incident)[0]
    assert request.reason == "two men on the images"


@pytest.mark.clause("S4.3", "S15.3")
def test_in_trial_the_trial_is_named_before_the_verification(town: Town) -> None:
    town.site.activated_at = at(-86_400)
    town.site.save()
    incident = taken(town)
    assert not commands.request_service(town.emma, incident.pk, "police", NOW)
    assert told("police.refused", incident)[0].clause == "S4.3"


@pytest.mark.clause("S6.1")
@pytest.mark.django_db(transaction=True)
def test_one_patrol_that_two_desks_send_at_once_goes_once(committed_town: Town) -> None:
    town = committed_town
    PatrolUnit.objects.create(provider_id=town.provider.pk, name="Delta 1", reported_at=NOW)
    people: list[tuple[Staff, Incident]] = []
    for number, who in enumerate((town.emma, town.jef)):
        site = town.build_site(f"Site {number}", codes=False, options=["patrol"])
        town.signal(site=site)
        cycle.judge_all(NOW)
        people.append((who, commands.take(who, Incident.objects.get(site=site).pk, NOW)))
    results = together(*(partial(commands.send_patrol, who, i.pk, NOW) for who, i in people))
    assert sorted(map(bool, results)) == [False, True], results
    assert len(told("patrol.sent")) == 1
    assert told("patrol.refused")[0].reason == "no patrol free"
    sent = [incident for (_, incident), went in zip(people, results, strict=True) if went]
    assert PatrolUnit.objects.get().incident_id == sent[0].pk
