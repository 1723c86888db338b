"""The ladder of texts with a real worker and a real gammu-smsd with its dummy phone (S7)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from meldkamer.journal.models import Entry
from meldkamer.notify import way_commands
from meldkamer.notify.models import InboundMessage, OutboxMessage, WayOut
from meldkamer.project.scratch import scratch_database
from meldkamer.sites.models import Site
from tests.incidents.town import Town
from tests.notify.sms.gammu_peer import Gammu, make_tables
from tests.peers import until
from tests.process.texting import a_site, battery_low, incident_of, now, texts_of, work

pytestmark = pytest.mark.slow


@pytest.fixture
def modem(tmp_path: Path) -> Iterator[Gammu]:
    with scratch_database("gammu", template=None) as dsn:
        make_tables(dsn)
        one = Gammu(tmp_path, dsn)
        try:
            one.start()
            yield one
        finally:
            one.stop()


def _phone(site: Site) -> str:
    return str(site.contacts.get(position=1).phone)


def _state(site: Site) -> str:
    incident = incident_of(site)
    return incident.outcome or incident.state


def _clauses(site: Site) -> list[str]:
    rows = Entry.objects.filter(what="sms.received", incident_id=incident_of(site).pk)
    return [row.clause for row in rows.order_by("id")]


@pytest.mark.clause("S7.1", "S7.3", "S7.4", "M12.1")
def test_the_ladder_runs_over_a_modem_and_survives_the_death_of_the_worker(
    town: Town, test_dsn: str, modem: Gammu
) -> None:
    way_commands.add("gammu", "modem", now(), settings_given=modem.settings | {"limit_s": 20})
    agrees, empty, later = (a_site(town) for _ in range(3))
    with work(test_dsn, wait_s=30) as worker:
        until(lambda: WayOut.objects.get().state == "up", "the carrier works")
        for site in (agrees, empty):
            battery_low(town, site)
        for site in (agrees, empty):
            until(lambda one=site: modem.got(_phone(one)), "the first text")  # type: ignore[misc]
        modem.says(_phone(agrees), "Ok")
        modem.says(_phone(empty), "")
        until(lambda: _state(agrees) == "confirmed_by_sms", "closed")
        until(lambda: _state(empty) == "queued", "with the operators")
        modem.stop()
        battery_low(town, later)
        until(lambda: modem.rows("SELECT 1 FROM outbox"), "its text lies in the modem's outbox")
        worker.kill()
        modem.start()
        until(lambda: modem.got(_phone(later)), "the modem has sent it")
        modem.says(_phone(later), "ok")
        worker.start()
        until(lambda: _state(later) == "confirmed_by_sms", "closed", 30)
        until(lambda: texts_of(later)[0].state in ("handed_over", "cancelled"), "settled", 30)
    assert _clauses(agrees) == ["S7.3"]
    assert _clauses(empty) == ["S7.4"]
    assert _clauses(later) == ["S7.3"]
    # found again by its number: the phone has it once
    sent = 'SELECT count(*) FROM sentitems WHERE "DestinationNumber" = %s'
    assert modem.rows(sent, _phone(later)) == [(1,)]
    assert InboundMessage.objects.count() == 3
    assert OutboxMessage.objects.filter(state="failed").count() == 0
