"""What may be called when others choose the address, and what a browser may say it is."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest

from meldkamer.notify.push import outside
from meldkamer.notify.push.faults import SubscriptionFault
from meldkamer.notify.push.outside import is_outside
from meldkamer.notify.push.subscriptions import read
from meldkamer.notify.web import NotGiven
from tests.notify.push.service import Browser, unpadded

ENDPOINT = "https://updates.push.example.com/wpush/v2/abc"


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "192.168.1.1", "172.16.0.9", "169.254.169.254", "100.64.0.1",
     "0.0.0.0", "224.0.0.251", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fd00::1",
     "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1"],
)  # fmt: skip
def test_addresses_of_a_house_are_inside(address: str) -> None:
    assert not is_outside(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8"])
def test_addresses_of_the_world_are_outside(address: str) -> None:
    assert is_outside(address)


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        ("http://updates.push.example.com/x", "https address on the usual port"),
        ("https://updates.push.example.com:8443/x", "https address on the usual port"),
        ("https://127.0.0.1/x", "names no host"),
        ("https://[::1]/x", "names no host"),
        ("https://2130706433/x", "names no host"),
        ("https://0x7f.1/x", "names no host"),
        ("https://localhost/x", "names no host"),
        ("https://me:secret@push.example.com/x", "no https address"),
        ("ftp://push.example.com/x", "no https address"),
        ("https://push.example.com:port/x", "no address"),
        ("https://push.example.com/" + "x" * 1000, "longer than 1000"),
        ("https://push.example.com/x y", "no address"),
        ("", "no https address"),
    ],
)
def test_an_endpoint_that_is_none_is_refused_with_what_was_expected(
    endpoint: str, said: str
) -> None:
    browser = Browser("/x")
    with pytest.raises(SubscriptionFault, match=said):
        read(endpoint, browser.p256dh, unpadded(browser.auth))


def test_keys_that_are_none_are_refused_with_what_was_expected() -> None:
    browser = Browser("/x")
    auth = unpadded(browser.auth)
    assert read(ENDPOINT, browser.p256dh, auth).auth == auth
    assert read(ENDPOINT, browser.p256dh + "=", auth + "==").p256dh == browser.p256dh
    for p256dh, given, said in (
        ("AAAA", auth, "no point of P-256"),
        (unpadded(b"\4" + bytes(64)), auth, "no point of P-256"),
        (browser.p256dh, "AAAA", "auth has 3 bytes, expected 16"),
        ("no key!", auth, "p256dh is not base64url"),
        (browser.p256dh, "é", "auth is not base64url"),
    ):
        with pytest.raises(SubscriptionFault, match=said):
            read(ENDPOINT, p256dh, given)


def test_whose_address_is_found_when_the_time_is_up_is_not_called_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else he could let us wait for his answer for ever: the clock cuts a line that there is."""
    asked, looked_up = threading.Event(), socket.getaddrinfo
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def slowly(*wanted: Any) -> Any:
            watch = outside._watch.get()
            while not watch.over:
                threading.Event().wait(0.01)
            return looked_up("127.0.0.1", port, *wanted[2:])

        def answers() -> None:
            try:
                line, _ = server.accept()
            except OSError:  # nobody came
                return
            with line:
                line.recv(65_536)
                asked.set()
                line.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")

        other = threading.Thread(target=answers)
        other.start()
        monkeypatch.setattr(socket, "getaddrinfo", slowly)
        try:
            with pytest.raises(NotGiven, match="in time"):
                outside.post("http://slow.example/x", b"x", {}, limit_s=0.2, anywhere=True)
        finally:
            monkeypatch.undo()
            server.shutdown(socket.SHUT_RDWR)
            other.join(5)
    assert not asked.is_set()
