"""The whole way: a signal, the outbox, a line, baresip, a telephone, a key, a closed incident."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings

from meldkamer.engine import cycle
from meldkamer.engine.sending import Lines
from meldkamer.incidents.models import Incident
from meldkamer.notify import way_commands
from meldkamer.notify.models import OutboxMessage
from meldkamer.terms.loader import varied
from tests.incidents.town import Town, told
from tests.notify.voice import telephone
from tests.notify.voice.telephone import Telephone

_MOST_S = 40


@pytest.mark.clause("S7.3")
def test_a_battery_is_announced_and_closed_by_a_key(
    committed_town: Town, lines: Lines, tmp_path: Path, settings: LazySettings
) -> None:
    settings.VAR_DIR = tmp_path
    town = committed_town
    now = datetime.now(UTC)
    town.site.in_force_from = now - timedelta(days=400)
    town.site.save()
    town.provider.terms = varied("securitas-2022-05", {"announcing.untextable": True})
    town.provider.practice = False
    town.provider.save()
    first = town.contact(1)
    first.phone = "+3292210018"
    first.save()
    with Telephone(telephone.LISTENS, tmp_path) as phone:
        given = {
            "target": phone.exchange, "local_address": "127.0.0.1", "repeat": 1, "pause_s": 0.5,
            "ask": False,
        }  # fmt: skip
        way_commands.add("sip", "exchange", now, provider_id=town.provider.pk, settings_given=given)
        incident = town.incident("battery", now)
        phone.ear.listen(1.0)
        assert OutboxMessage.objects.filter(incident_id=incident.pk).count() == 1
        phone.ear.press("1")
        closed = _closed(incident)
        phone.satisfied()
    assert (closed.state, closed.outcome) == ("closed", "confirmed_by_call")
    assert [line.clause for line in told("incident.closed", incident)] == ["S7.3"]
    message = OutboxMessage.objects.get(incident_id=incident.pk)
    assert message.state == OutboxMessage.State.HANDED_OVER
    assert message.acknowledged_at is not None


def _closed(incident: Incident) -> Incident:
    """The incident, as soon as the house closed it."""
    until_s = time.monotonic() + _MOST_S
    while time.monotonic() < until_s:
        cycle.consume_all(datetime.now(UTC))
        incident.refresh_from_db()
        if incident.closed_at is not None:
            return incident
        time.sleep(0.05)
    raise AssertionError(f"it is still {incident.state}")
