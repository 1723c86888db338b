"""The ladder waits from the hand-over to the carrier, not from the decision (S7.2)."""

from datetime import timedelta

import pytest

from meldkamer.engine import cycle
from meldkamer.incidents.models import Incident
from meldkamer.notify.carrier import CarrierFault
from meldkamer.notify.models import OutboxMessage
from meldkamer.notify.sandbox import all_sandbox
from tests.incidents.town import Town, at, row_of, told


def _away(message: OutboxMessage, now: object) -> None:
    raise CarrierFault("the carrier is away")


@pytest.mark.clause("S7.2")
def test_a_text_that_the_carrier_took_late_is_waited_for_from_then(town: Town) -> None:
    incident = town.incident("battery")
    assert incident.due == at(90)
    assert cycle.hand_over({**all_sandbox(), "sms": _away}, at(1)) == 0
    assert cycle.hand_over(all_sandbox(), at(40)) == 1
    incident.refresh_from_db()
    assert incident.state == Incident.State.TEXTING
    assert incident.due == at(130) == row_of(incident).due
    cycle.act_on_due(at(129))
    assert len(told("sms.sent", incident)) == 1
    cycle.act_on_due(at(130))
    assert len(told("sms.sent", incident)) == 2


@pytest.mark.clause("S7.2")
def test_a_text_handed_over_after_the_next_rung_moves_nothing(town: Town) -> None:
    incident = town.incident("battery")
    cycle.act_on_due(at(90))
    incident.refresh_from_db()
    due = incident.due
    first = OutboxMessage.objects.order_by("id").first()
    assert first is not None
    OutboxMessage.objects.exclude(pk=first.pk).update(state=OutboxMessage.State.HANDED_OVER)
    cycle.hand_over(all_sandbox(), at(95))
    incident.refresh_from_db()
    assert incident.due == due == at(90) + timedelta(seconds=90)
