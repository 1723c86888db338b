"""What an exchange tells over its hooks: of calls it placed, and of calls that come in."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from meldkamer.notify import inbox
from meldkamer.notify.desk.models import DeskCall, IncomingCall
from meldkamer.notify.models import WayOut
from meldkamer.people.models import Staff
from tests.incidents.conftest import town
from tests.incidents.town import NOW, Town

__all__ = ["town"]
TOKEN = "a-long-random-token-of-the-exchange"
CALL, INCOMING = f"/hooks/{TOKEN}/call/", f"/hooks/{TOKEN}/incoming/"


@pytest.fixture
def pbx(town: Town) -> WayOut:
    return WayOut.objects.create(
        channel="desk", kind="pbx_http", name="Exchange", hook_mac=inbox.hook_mac(TOKEN),
        settings={"url": "https://pbx.example/{number}"},
    )  # fmt: skip


@pytest.fixture
def placed(town: Town, pbx: WayOut) -> DeskCall:
    incident = town.incident()
    return DeskCall.objects.create(
        way=pbx, provider_id=town.provider.pk, site_id=town.site.pk, incident_id=incident.pk,
        staff=Staff.objects.get(username="emma"), key="premises", number="+3292210017",
        extension="201", state="placed", asked_at=NOW,
    )  # fmt: skip


def post(client: Client, address: str, fields: dict[str, Any]) -> Any:
    """As an exchange does: a form in the body."""
    return client.post(address, urlencode(fields), content_type="application/x-www-form-urlencoded")


def tell(client: Client, address: str, **fields: Any) -> int:
    return int(post(client, address, fields).status_code)


@pytest.mark.parametrize(
    ("said", "state"),
    [("answered", "answered"), ("ANSWER", "answered"), ("BUSY", "busy"), ("NOANSWER", "no_answer"),
     ("no-answer", "no_answer"), ("CANCEL", "no_answer"), ("CONGESTION", "failed"),
     ("ringing", "ringing")],
)  # fmt: skip
def test_an_exchange_may_use_its_own_words(
    client: Client, placed: DeskCall, said: str, state: str
) -> None:
    assert tell(client, CALL, id=f"meldkamer-{placed.pk}", state=said) == 200
    placed.refresh_from_db()
    assert placed.state == state


def test_json_will_do_and_the_duration_is_kept(client: Client, placed: DeskCall) -> None:
    for fields in ({"state": "answered"}, {"state": "ended", "talked_s": 42}):
        body = json.dumps({"id": placed.pk, **fields})
        assert client.post(CALL, body, content_type="application/json").status_code == 200
    placed.refresh_from_db()
    assert (placed.state, placed.talked_s) == ("ended", 42)


@pytest.mark.parametrize(
    "fields",
    [{}, {"id": "1"}, {"state": "busy"}, {"id": "1", "state": "exploded"},
     {"id": "999999", "state": "busy"}, {"id": "one", "state": "busy"},
     {"id": "9" * 40, "state": "busy"}, {"id": "٣", "state": "busy"}, {"id": "", "state": "busy"}],
)  # fmt: skip
def test_what_names_no_call_is_answered_with_what_was_expected(
    client: Client, placed: DeskCall, fields: dict[str, str]
) -> None:
    answer = post(client, CALL, fields)
    assert answer.status_code == 400
    assert b"expected" in answer.content
    placed.refresh_from_db()
    assert placed.state == "placed"


@pytest.mark.parametrize("talked", ["-1", "1.5", "a", "999999"])
def test_a_duration_that_is_none_is_refused(client: Client, placed: DeskCall, talked: str) -> None:
    assert tell(client, CALL, id=placed.pk, state="ended", talked_s=talked) == 400


def test_a_call_that_comes_in_is_stored_once(client: Client, town: Town, pbx: WayOut) -> None:
    fields = {"id": "1772486400.17", "state": "ringing", "caller": "0475 12 34 56", "called": "1"}
    assert tell(client, INCOMING, **fields) == tell(client, INCOMING, **fields) == 200
    (call,) = IncomingCall.objects.all()
    assert (call.ref, call.caller, call.state) == ("1772486400.17", "+32475123456", "ringing")
    assert tell(client, INCOMING, id="1772486400.17", state="ended") == 200
    call.refresh_from_db()
    assert call.state == "ended"


def test_a_caller_who_cannot_be_read_is_a_call_all_the_same(
    client: Client, town: Town, pbx: WayOut
) -> None:
    assert tell(client, INCOMING, id="a", state="ringing", caller="\x00anonymous") == 200
    assert tell(client, INCOMING, id="b", state="ringing") == 200
    assert IncomingCall.objects.filter(caller="").count() == 2
    assert tell(client, INCOMING, state="ringing") == 400
    assert tell(client, INCOMING, id="c", state="maybe") == 400


def test_only_an_exchange_of_the_desks_has_these_hooks(client: Client, pbx: WayOut) -> None:
    WayOut.objects.update(channel="sms")
    assert tell(client, INCOMING, id="a", state="ringing") == 404
    assert tell(client, "/hooks/a-token-of-nobody/incoming/", id="a", state="ringing") == 404
