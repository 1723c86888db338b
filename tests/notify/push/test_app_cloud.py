"""The panel maker's cloud as a carrier, against a cloud that checks what it gets (S8.3, S8.5)."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
import pytest

from meldkamer.notify.carrier import AFTER_MOST_S, CarrierFault, InDoubt, ReceiptState, Rejected
from meldkamer.notify.kinds import SettingsFault
from meldkamer.notify.push import signing
from meldkamer.notify.push.app_cloud import (
    AppCloud,
    AppCloudSettings,
    build,
    read_receipt,
)
from tests.notify.push.test_webpush import PARCEL

KEY = "agreed-with-the-maker-of-the-panel"


class Cloud:
    """A cloud that keeps to the agreement: signature first, each id shown once."""

    def __init__(self) -> None:
        self.shown: dict[str, dict[str, Any]] = {}
        self.asked = 0
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.hang_up = False
        cloud = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                cloud._take(self)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}/alarms?of=us"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def _take(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["Content-Length"]))
        self.asked += 1
        if self.hang_up:
            request.close_connection = True
            return
        code, headers = (202, {}) if not self.answers else self.answers.pop(0)
        at, given = request.headers["Meldkamer-Time"], request.headers["Meldkamer-Signature"]
        # as a stranger would write it from the manual, not with our own function
        expected = hmac.new(KEY.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
        if given != f"v1={expected}" or abs(time.time() - int(at)) > 60:
            code = 401
        if code == 202:
            self.shown[request.headers["Idempotency-Key"]] = json.loads(body)
        request.send_response(code)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", "0")
        request.end_headers()


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    made = Cloud()
    yield made
    made.close()


def carrier(cloud: Cloud, key: str = KEY, limit_s: float = 5.0) -> AppCloud:
    return AppCloud(AppCloudSettings(cloud.address, limit_s=limit_s), key)


@pytest.mark.clause("S8.3")
def test_the_cloud_gets_the_message_signed_and_nothing_else_of_the_site(cloud: Cloud) -> None:
    line = carrier(cloud)
    line.open()
    assert line.send(PARCEL) == "cloud-41"
    assert cloud.shown["cloud-41"] == {
        "id": 41,
        "made_at": "2026-11-20T10:00:00+00:00",
        "recipient": {"name": "An Peeters", "address": "+32470001201"},
        "language": "nl",
        "title": "",
        "text": PARCEL.body,
    }


def test_the_same_message_again_is_shown_once(cloud: Cloud) -> None:
    line = carrier(cloud)
    cloud.hang_up = True
    with pytest.raises(InDoubt):
        line.send(PARCEL)
    cloud.hang_up = False
    line.send(PARCEL)
    cloud.answers = [(409, {})]
    assert line.send(PARCEL) == "cloud-41"
    assert cloud.asked == 3
    assert list(cloud.shown) == ["cloud-41"]


@pytest.mark.parametrize(
    ("code", "fault"),
    [(400, Rejected), (404, Rejected), (422, Rejected), (401, CarrierFault), (500, CarrierFault)],
)
def test_a_refusal_says_whether_it_is_for_good(
    cloud: Cloud, code: int, fault: type[CarrierFault]
) -> None:
    cloud.answers = [(code, {})]
    with pytest.raises(CarrierFault, match=str(code)) as said:
        carrier(cloud).send(PARCEL)
    assert type(said.value) is fault
    assert "alarms" not in str(said.value)


@pytest.mark.parametrize(("asked", "left_s"), [("30", 30), ("0", 0), ("864000", AFTER_MOST_S)])
def test_a_cloud_that_has_too_much_is_left_alone_as_long_as_it_asks_but_not_for_days(
    cloud: Cloud, asked: str, left_s: float
) -> None:
    cloud.answers = [(429, {"Retry-After": asked})]
    with pytest.raises(CarrierFault) as said:
        carrier(cloud).send(PARCEL)
    assert said.value.after_s == left_s


def test_another_key_is_not_believed(cloud: Cloud) -> None:
    with pytest.raises(CarrierFault, match="401"):
        carrier(cloud, "another").send(PARCEL)
    assert cloud.shown == {}


def test_a_cloud_that_is_away_is_found_without_a_message() -> None:
    stopped = Cloud()
    line = carrier(stopped)
    line.open()
    stopped.close()
    with pytest.raises(CarrierFault, match="cannot be reached"):
        line.open()
    with pytest.raises(CarrierFault, match="cannot be reached"):
        line.send(PARCEL)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://cloud.example/x", "address: expected https"),
        ("ftp://cloud.example", "address: expected https"),
        ("https://a:b@cloud.example/", "address: holds a name or a password"),
        ("cloud", "address: expected https"),
    ],
)
def test_an_address_that_would_carry_it_in_the_clear_is_no_setting(address: str, said: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=said):
        msgspec.convert({"address": address}, AppCloudSettings)


def test_without_a_key_there_is_no_carrier() -> None:
    with pytest.raises(SettingsFault, match="key: is missing"):
        build(AppCloudSettings("https://cloud.example/x"), {}, None)  # type: ignore[arg-type]


def told(body: bytes, key: str = KEY, at_s: int = 1_000) -> dict[str, str]:
    return {"Meldkamer-Time": str(at_s), "Meldkamer-Signature": signing.sign(key, at_s, body)}


@pytest.mark.clause("S8.3")
def test_what_the_cloud_tells_back_names_our_message() -> None:
    body = b'{"id": 41, "state": "acknowledged", "detail": "An"}'
    found = read_receipt(body, told(body), KEY, 1_200.0)
    assert found == ("cloud-41", ReceiptState.ACKNOWLEDGED, "An")


@pytest.mark.parametrize(
    ("body", "headers", "said"),
    [
        (b'{"id": 41, "state": "read"}', None, "Invalid enum value 'read'"),
        (b'{"id": "41", "state": "failed"}', None, "Expected `int`"),
        (b'{"state": "failed"}', None, "missing required field `id`"),
        (b'{"id": 1, "state": "failed", "ok": 1}', None, "unknown field `ok`"),
        (b"\xff", None, "the body is not as expected"),
        (b"{}", {}, "Meldkamer-Time is missing"),
        (b"{}", told(b"{}", "another"), "Meldkamer-Signature does not fit"),
        (b"{}", told(b"{ }"), "Meldkamer-Signature does not fit"),
        (b"{}", told(b"{}", at_s=600), "more than 300 s from now"),
    ],
)  # fmt: skip
def test_what_cannot_be_believed_is_refused_with_what_was_expected(
    body: bytes, headers: dict[str, str] | None, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        read_receipt(body, told(body) if headers is None else headers, KEY, 1_000.0)
