"""The ladder of texts with a real worker, a real Kannel, a real web server for its hooks (S7)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from meldkamer.journal.models import Entry
from meldkamer.notify import way_commands
from meldkamer.notify.models import InboundMessage, OutboxMessage, Receipt, WayOut
from meldkamer.sites.models import Site
from tests.incidents.town import Town
from tests.notify.sms.kannel import NUMBER, PASSWORD, USER, Kannel
from tests.peers import until
from tests.process.texting import (
    a_site,
    battery_low,
    incident_of,
    now,
    texts_of,
    work,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def gateway(town: Town, live_server: LiveServer, tmp_path: Path) -> Iterator[Kannel]:
    """Kannel and its carrier, each knowing the other."""
    row = way_commands.add("sms_http", "Kannel", now(), settings_given={"url": "http://127.0.0.1:9/",
                   "username": USER, "sender": NUMBER})  # fmt: skip
    token = way_commands.new_hook_token(row.pk, now())
    hooks = f"{live_server.url.replace('localhost', '127.0.0.1')}/hooks/{token}/"
    one = Kannel(tmp_path, hooks)
    settings = {"url": one.url, "username": USER, "sender": NUMBER, "status_url": one.status_url}
    secrets = {"password": PASSWORD, "hook_url": hooks}
    way_commands.change(row.pk, now(), values={"settings": settings}, secrets=secrets)
    try:
        one.start()
        yield one
    finally:
        one.stop()


def _phones(site: Site) -> list[str]:
    return list(site.contacts.order_by("position").values_list("phone", flat=True))


def _state(site: Site) -> str:
    incident = incident_of(site)
    return incident.outcome or incident.state


def _clauses(site: Site, what: str) -> list[str]:
    rows = Entry.objects.filter(what=what, incident_id=incident_of(site).pk).order_by("id")
    return [row.clause for row in rows]


@pytest.mark.clause("S7.1", "S7.2", "S7.3", "S7.4")
def test_the_ladder_runs_over_a_gateway_and_its_hooks(
    town: Town, test_dsn: str, gateway: Kannel
) -> None:
    agrees, empty, nobody = (a_site(town) for _ in range(3))
    with work(test_dsn, wait_s=6):  # the phones are started anew for each word they say
        until(lambda: WayOut.objects.get().state == "up", "the carrier works")
        for site in (agrees, empty, nobody):
            battery_low(town, site)
        for site in (agrees, empty, nobody):
            first = _phones(site)[0]
            until(lambda phone=first: gateway.got(phone), "the first text")  # type: ignore[misc]
        gateway.says(_phones(agrees)[0], " OK ")
        gateway.says(_phones(empty)[0], "")
        until(lambda: _state(agrees) == "confirmed_by_sms", "closed")
        until(lambda: _state(empty) == "queued", "with the operators")
        until(lambda: gateway.got(_phones(nobody)[1]), "the second text")
        until(lambda: texts_of(nobody)[0].state == "delivered", "its receipt is consumed")
    assert agrees.name in gateway.got(_phones(agrees)[0])[0]
    assert _clauses(agrees, "sms.received") == ["S7.3"]
    assert _clauses(empty, "sms.received") == ["S7.4"]
    assert _clauses(nobody, "sms.sent")[0] == "S7.1"
    assert InboundMessage.objects.filter(consumed_at=None).count() == 0
    assert sum(OutboxMessage.objects.values_list("doubts", flat=True)) == 0
    assert {row.state for row in Receipt.objects.all()} == {"delivered"}


@pytest.mark.clause("M12.1", "S7.3")
def test_what_a_gateway_that_is_away_did_not_get_leaves_once_when_it_is_back(
    town: Town, test_dsn: str, gateway: Kannel
) -> None:
    site = a_site(town)
    phone = _phones(site)[0]
    with work(test_dsn, wait_s=30):
        until(lambda: WayOut.objects.get().state == "up", "the carrier works")
        gateway.stop("smsbox")
        battery_low(town, site)
        until(OutboxMessage.objects.exists, "there is a text to send")
        unsent = OutboxMessage.objects.exclude(state__in=("handed_over", "delivered"))
        assert unsent.count() == 1
        gateway.start_smsbox()
        until(lambda: gateway.got(phone), "the text left", 20)
        gateway.says(phone, "ok")
        until(lambda: _state(site) == "confirmed_by_sms", "closed")
    assert len(gateway.got(phone)) == 1
    assert sum(OutboxMessage.objects.values_list("doubts", flat=True)) == 0
