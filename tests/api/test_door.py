"""The door of every hook: strangers, sizes, kinds of bodies, what is logged, what is answered."""

import psycopg
import pytest
from django.db import OperationalError
from django.test import Client

from meldkamer.api.fields import BODY_MOST
from meldkamer.notify import inbox
from meldkamer.notify.models import InboundMessage, WayOut
from tests.api.conftest import REPLY, TOKEN

GOOD = {"from": "+32470000001", "text": "ok"}


@pytest.fixture
def caller(gateway: WayOut) -> Client:
    return Client(enforce_csrf_checks=True, raise_request_exception=False)


@pytest.mark.parametrize("token", ["another", "x" * 500, "%00", "é"])
def test_a_stranger_is_told_nothing(caller: Client, token: str) -> None:
    answer = caller.get(f"/hooks/{token}/sms/", GOOD)
    assert (answer.status_code, answer.content) == (404, b"no such hook\n")
    assert not InboundMessage.objects.exists()


@pytest.mark.parametrize("change", [{"enabled": False}, {"channel": "voice"}])
def test_a_carrier_that_is_off_or_of_another_channel_has_no_such_hook(
    caller: Client, gateway: WayOut, change: dict[str, object]
) -> None:
    WayOut.objects.filter(pk=gateway.pk).update(**change)
    assert caller.get(REPLY, GOOD).status_code == 404
    assert not InboundMessage.objects.exists()


def test_neither_get_nor_post_is_refused(caller: Client) -> None:
    answer = caller.put(REPLY, GOOD)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, POST")


@pytest.mark.parametrize(
    ("body", "kind", "status", "said"),
    [
        ("x" * (BODY_MOST + 1), "application/x-www-form-urlencoded", 413, "too large"),
        ("from=1&text=", "text/plain", 415, "Content-Type: text/plain; expected application/x-www"),
        ("{", "application/json", 400, "body: is no JSON; expected a JSON object"),
        ("[1]", "application/json", 400, "body: is no object; expected a JSON object"),
        ('{"a":' * 9 + "1" + "}" * 9, "application/json", 400, "a.a.a.a.a.a: is nested too deep"),
        ('{"a":' * 10_000, "application/json", 400, "body: is no JSON"),
        ("a=1&" * 300, "application/x-www-form-urlencoded", 400, "the form: has too many fields"),
        ('{"a":[' + "1," * 300 + "1]}", "application/json", 400, "fields: 301 of them"),
    ],
)
def test_a_body_that_cannot_be_read_is_told_why(
    caller: Client, body: str, kind: str, status: int, said: str
) -> None:
    answer = caller.post(REPLY, body, kind)
    assert answer.status_code == status
    assert answer.content.decode().startswith(said)


def test_a_call_starts_no_session_and_sets_no_cookie(caller: Client) -> None:
    answer = caller.post(REPLY, GOOD | {"from": "1"}, "application/json")
    assert answer.status_code == 200
    assert not answer.cookies
    assert "no-store" in answer.headers["Cache-Control"]


def test_neither_the_token_nor_the_words_are_logged(
    caller: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        caller.get(REPLY, {"from": "1", "text": "my words"})
        caller.get(REPLY, {"text": "my words"})
        caller.get(REPLY.replace("/sms/", "/receipt/"), {"ref": "1", "state": "my words"})
        caller.get("/hooks/another-token/sms/", GOOD)
    ours = [one.getMessage() for one in caplog.records if one.name != "django.db.backends"]
    assert len(ours) == 2
    assert all("bad input" in line for line in ours)
    assert not any(TOKEN in line or "my words" in line or "another-token" in line for line in ours)


def test_what_was_not_stored_is_not_answered_as_stored(
    caller: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*args: object, **values: object) -> int:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(inbox, "store_reply", fails)
    answer = caller.get(REPLY, GOOD)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


@pytest.mark.django_db(transaction=True)
def test_it_is_committed_before_it_is_answered(
    test_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    WayOut.objects.create(channel="sms", kind="x", name="K", hook_mac=inbox.hook_mac(TOKEN))
    seen_by_another: list[int] = []
    store = inbox.store_reply

    def watched(*args: object, **values: object) -> int:
        stored = store(*args, **values)  # type: ignore[arg-type]
        with psycopg.connect(test_dsn) as another:
            row = another.execute("SELECT count(*) FROM notify_inboundmessage").fetchone()
        seen_by_another.append(row[0] if row else 0)
        return stored

    monkeypatch.setattr(inbox, "store_reply", watched)
    assert Client().get(REPLY, GOOD).status_code == 200
    assert seen_by_another == [1]
