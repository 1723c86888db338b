"""A supervisor is called about what nobody takes; his key stops the calls and nothing else."""

from __future__ import annotations

from datetime import datetime

import pytest

from meldkamer.engine import cycle
from meldkamer.incidents.models import Incident, Notice
from meldkamer.incidents.operating import taking
from meldkamer.notify.carrier import ReceiptState
from meldkamer.notify.models import OutboxMessage
from meldkamer.people.models import Staff
from meldkamer.terms.loader import varied
from tests.incidents.test_announced import receipt, rings, under
from tests.incidents.town import Town, at, row_of, told

_NOTIFIED, _EVERY = 300, 300


@pytest.fixture
def called(town: Town) -> Town:
    """Terms that have supervisors called at once; sofie and tom have a telephone."""
    under(town, {"announcing.supervisor": "notified"})
    tom = town.staff("tom", Staff.Role.SUPERVISOR)
    for person, phone in ((town.sofie, "+32470111111"), (tom, "+32470222222")):
        person.phone = phone
        person.language = "fr"
        person.save()
    return town


def until(seconds: float) -> datetime:
    """The house acts on everything that is due until then, in order; that moment."""
    for step in range(90, int(seconds) + 1, 30):
        cycle.act_on_due(at(step))
    cycle.act_on_due(at(seconds))
    return at(seconds)


def calls(incident: Incident) -> list[str]:
    return [entry.recipient for entry in told("supervisor.called", incident)]


@pytest.mark.clause("M12.2")
def test_a_supervisor_is_called_when_nobody_takes_an_incident(called: Town) -> None:
    incident = called.incident("intrusion")
    until(_NOTIFIED - 30)
    assert calls(incident) == []
    until(_NOTIFIED)
    assert calls(incident) == ["sofie"]
    (line,) = told("supervisor.called", incident)
    assert line.clause == "M12.2"
    message = OutboxMessage.objects.get(channel="voice")
    assert (message.address, message.language) == ("+32470111111", "fr")
    assert message.body == (
        "Ici securitas. Personne ne prend un incident : intrusion, Bakkerij Peeters. "
        "En attente dans la file : 1."
    )


@pytest.mark.clause("M12.2")
def test_who_does_not_press_the_key_is_followed_by_the_next_in_turn(called: Town) -> None:
    incident = called.incident("intrusion")
    for number, who in enumerate(["sofie", "tom", "sofie"]):
        when = until(_NOTIFIED + number * _EVERY)
        assert calls(incident)[-1] == who
        assert len(calls(incident)) == number + 1
        receipt(rings(when), ReceiptState.UNANSWERED, when, "no answer")


@pytest.mark.clause("M12.2")
def test_a_key_stops_the_calls_for_a_while_and_moves_neither_owner_nor_due_time(
    called: Town,
) -> None:
    incident = called.incident("intrusion")
    when = until(_NOTIFIED)
    message = rings(when)
    incident.refresh_from_db()
    before = (incident.owner, incident.due, incident.state, row_of(incident).due)
    receipt(message, ReceiptState.ACKNOWLEDGED, when, "the key was pressed")
    incident.refresh_from_db()
    assert (incident.owner, incident.due, incident.state, row_of(incident).due) == before
    (line,) = told("supervisor.knows", incident)
    assert (line.recipient, line.clause, line.reason) == ("sofie", "M12.2", "the key was pressed")
    until(_NOTIFIED + 2 * _EVERY)
    assert calls(incident) == ["sofie"]
    # the supervisors' list is reminded all the same
    assert Notice.objects.filter(kind="untouched").count() == 3
    until(_NOTIFIED + 3 * _EVERY)  # 900 s after his key
    assert calls(incident) == ["sofie", "tom"]


@pytest.mark.clause("M12.2")
def test_a_storm_rings_one_telephone_at_a_time(called: Town) -> None:
    first = called.incident("intrusion")
    elsewhere = called.build_site("Apotheek")
    called.signal("fire", "FA", site=elsewhere)
    cycle.judge_all(called.now)
    second = Incident.objects.get(site=elsewhere)
    when = until(_NOTIFIED)
    assert len(calls(first) + calls(second)) == 1
    receipt(rings(when), ReceiptState.UNANSWERED, when, "busy")
    until(_NOTIFIED + _EVERY)
    assert len(calls(first) + calls(second)) == 2


@pytest.mark.clause("M12.2")
def test_where_the_terms_say_reminded_he_is_called_with_the_first_reminder(called: Town) -> None:
    called.provider.terms = varied("securitas-2022-05", {"announcing.supervisor": "reminded"})
    called.provider.save()
    incident = called.incident("intrusion")
    until(_NOTIFIED)
    assert told("supervisor.notified", incident)
    assert calls(incident) == []
    until(_NOTIFIED + _EVERY)
    assert calls(incident) == ["sofie"]


@pytest.mark.parametrize("change", ["terms", "phones", "taken"])
def test_nobody_is_called_without_a_reason(called: Town, change: str) -> None:
    if change == "terms":
        called.provider.terms = "securitas-2022-05"
        called.provider.save()
    if change == "phones":
        Staff.objects.update(phone="")
    incident = called.incident("intrusion")
    if change == "taken":
        taking.take(called.emma, incident.pk, at(10))
        cycle.act_on_due(at(100))
    else:
        until(_NOTIFIED)
    assert calls(incident) == []
