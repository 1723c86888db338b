"""The whole way: a request, the outbox, a line, their machine, its acceptance in the course."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from meldkamer.engine import cycle
from meldkamer.engine.sending import Lines
from meldkamer.incidents import commands
from meldkamer.journal.models import Entry
from meldkamer.notify import way_commands
from meldkamer.notify.models import OutboxMessage
from tests.incidents.conftest import committed_town
from tests.incidents.town import Town, told
from tests.notify.authority.checker import faults
from tests.notify.authority.test_cap import ACK
from tests.notify.desk.exchange import exchange

__all__ = ["committed_town"]
_MOST_S = 20


@pytest.mark.clause("B1")
def test_a_request_is_handed_over_and_its_acceptance_comes_into_the_course(
    committed_town: Town, lines: Lines
) -> None:
    town, now = committed_town, datetime.now(UTC)
    town.site.in_force_from = now - timedelta(days=400)
    town.site.save()
    town.provider.practice = False
    town.provider.save()
    holdup = town.incident("holdup", now)
    commands.take(town.emma, holdup.pk, now)
    commands.dial(town.emma, holdup.pk, "call:premises", now)
    commands.call_result(town.emma, holdup.pk, "call:premises", "no_answer", "", now)
    with exchange() as police:
        police.body = ACK.format(kind="Ack", note="opgenomen").encode()
        way_commands.add(
            "cap", "Police by wire", now,
            settings_given={"url": f"{police.url}/cap", "sender": "centre@example.be"},
        )  # fmt: skip
        assert commands.request_service(town.emma, holdup.pk, "police", now, attends="nobody")
        accepted = _accepted()
        (one,) = police.asked
    assert faults(one.body) == []
    assert (accepted.incident_id, accepted.clause) == (holdup.pk, "B1")
    assert accepted.reason == "PZ-77 opgenomen"
    assert told("service.handed_over", holdup) != []
    assert OutboxMessage.objects.get().acknowledged_at is not None


def _accepted() -> Entry:
    """The entry of the acceptance, as soon as the house wrote it."""
    until_s = time.monotonic() + _MOST_S
    while time.monotonic() < until_s:
        cycle.consume_all(datetime.now(UTC))
        found = Entry.objects.filter(what="service.accepted").first()
        if found is not None:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not accepted: {list(OutboxMessage.objects.values())}")
