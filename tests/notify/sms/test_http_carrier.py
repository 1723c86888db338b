"""The carrier of an HTTP gateway: what each answer and each break means, and what it never tells.

That a real Kannel takes what it sends: test_kannel.py.
"""

import logging
import ssl
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import SHUT_RDWR, create_server, socket
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from meldkamer.notify import kinds
from meldkamer.notify.carrier import CarrierFault, InDoubt, Rejected
from meldkamer.notify.sms.http import SmsHttpCarrier, SmsHttpSettings, build
from tests.notify.sms.gateway import Talk, answers, gateway, parcel, read_request

PASSWORD, HOOK = "s3cret-of-kannel", "https://arc.example/hooks/token-of-the-hook/"
SECRETS = {"password": PASSWORD, "hook_url": HOOK}


class NoEars:
    carrier_id = 1

    def reply(self, sender: str, text: str, *, to: str = "", ref: str = "") -> None:
        raise AssertionError

    def receipt(self, ref: str, state: object, *, detail: str = "") -> None:
        raise AssertionError


def carrier(url: str, **settings: Any) -> SmsHttpCarrier:
    said = SmsHttpSettings(url=url, username="arc", sender="3200", limit_s=1.0, **settings)
    return build(said, SECRETS, NoEars())


def sent(talk: Talk, body: str = "Power failure") -> str:
    """The reference of one text sent to such a gateway."""
    with gateway(talk) as url:
        one = carrier(url)
        one.open()
        try:
            return one.send(parcel(body))
        finally:
            one.close()


@pytest.mark.parametrize("said", ["0: Accepted for delivery", "3: Queued for later delivery"])
def test_what_the_gateway_takes_is_known_by_our_own_number(said: str) -> None:
    heard: list[bytes] = []
    assert sent(answers((202, said), heard=heard)) == "77"
    [request] = heard
    head, _, body = request.decode().partition("\r\n\r\n")
    assert head.startswith("POST /cgi-bin/sendsms HTTP/1.1\r\n")
    assert f"X-Kannel-DLR-Url: {HOOK}receipt/?ref=77&state=%d&detail=%A" in head
    assert "X-Kannel-To: +32470000001" in head
    assert body == "Power failure"


@pytest.mark.parametrize(
    ("body", "coding"),
    [("Panne é € [A]", "0"), ("Stroomuitval ‘Bakkerij’", "2"), ("Сбой питания", "2")],
)
def test_a_text_goes_in_7_bit_only_when_each_character_is_there(body: str, coding: str) -> None:
    heard: list[bytes] = []
    sent(answers((202, "0: ok"), heard=heard), body)
    assert f"X-Kannel-Coding: {coding}\r\n".encode() in heard[0]
    assert heard[0].endswith(body.encode())


@pytest.mark.clause("S7.2")
@pytest.mark.parametrize(
    ("code", "text", "kind", "after_s"),
    [
        (400, "Number(s) has/have been denied by white- and/or black-lists.", Rejected, None),
        (400, "Empty receiver number not allowed, rejected", Rejected, None),
        (400, "Sender missing and no global set, rejected", CarrierFault, None),
        (403, "Authorization failed for sendsms", CarrierFault, None),
        (404, "", CarrierFault, None),
        (503, "4: Temporal failure, try again later.", CarrierFault, None),
        (500, "5: Sending failed.", CarrierFault, None),
        (502, "bad gateway", InDoubt, None),
        (504, "gateway timeout", InDoubt, None),
        (200, "<html>Welcome</html>", InDoubt, None),
    ],
)
def test_an_answer_says_whether_the_text_may_go_another_way(
    code: int, text: str, kind: type[CarrierFault], after_s: float | None
) -> None:
    with pytest.raises(CarrierFault) as fault:
        sent(answers((code, text)))
    assert type(fault.value) is kind
    assert fault.value.after_s == after_s


def test_a_gateway_that_asks_to_be_left_alone_is() -> None:
    def busy(line: socket) -> None:
        while request := read_request(line):
            code = b"404 X" if request.startswith(b"GET") else b"503 X\r\nRetry-After: 7"
            line.sendall(b"HTTP/1.1 " + code + b"\r\nContent-Length: 0\r\n\r\n")

    with pytest.raises(CarrierFault, match="the gateway answered 503") as fault:
        sent(busy)
    assert fault.value.after_s == 7.0


def test_an_address_that_is_no_number_is_turned_down_without_asking() -> None:
    one = carrier("http://127.0.0.1:9/")
    with pytest.raises(Rejected):
        one.send(parcel(address="+32 470; DROP"))


def test_a_gateway_that_is_not_there_has_nothing() -> None:
    with create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/cgi-bin/sendsms"
    one = carrier(url)
    with pytest.raises(CarrierFault, match="cannot be reached: Connection refused"):
        one.open()
    with pytest.raises(CarrierFault) as fault:
        one.send(parcel())
    assert type(fault.value) is CarrierFault
    one.close()


def test_a_line_that_breaks_after_the_text_was_given_leaves_doubt() -> None:
    def breaks(line: socket) -> None:
        if not read_request(line).startswith(b"GET"):
            line.shutdown(SHUT_RDWR)
            return
        line.sendall(b"HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n")
        breaks(line)

    with pytest.raises(InDoubt, match="the line broke before the answer"):
        sent(breaks)


def test_a_gateway_that_trickles_is_not_waited_for_longer_than_the_limit() -> None:
    def trickles(line: socket) -> None:
        if read_request(line).startswith(b"GET"):
            line.sendall(b"HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n")
            read_request(line)
        for byte in b"HTTP/1.1 202 X\r\nContent-Length: 500\r\n\r\n0: " + b"." * 500:
            line.sendall(bytes([byte]))
            time.sleep(0.2)

    began_s = time.monotonic()
    with pytest.raises(InDoubt, match="no answer within 1 s"):
        sent(trickles)
    assert time.monotonic() - began_s < 3


def test_the_connection_is_kept_and_made_anew_when_the_gateway_dropped_it() -> None:
    lines: list[int] = []

    def drops_after_two(line: socket) -> None:
        lines.append(0)
        for _ in range(2):
            if not read_request(line):
                return
            lines[-1] += 1
            line.sendall(b"HTTP/1.1 202 X\r\nContent-Length: 5\r\n\r\n0: ok")
        line.shutdown(SHUT_RDWR)

    with gateway(drops_after_two) as url:
        one = carrier(url)
        one.open()
        for id_ in range(1, 6):
            assert one.send(parcel(id_=id_)) == str(id_)
            time.sleep(0.02)  # so that a dropped line is seen to be dropped
        one.close()
    assert lines == [2, 2, 2]


def test_as_many_texts_at_a_time_as_it_says() -> None:
    from concurrent.futures import ThreadPoolExecutor

    def slow(line: socket) -> None:
        while request := read_request(line):
            if not request.startswith(b"GET"):
                time.sleep(0.3)
            line.sendall(b"HTTP/1.1 202 X\r\nContent-Length: 5\r\n\r\n0: ok")

    with gateway(slow) as url:
        one = carrier(url, connections=8)
        one.open()
        began_s = time.monotonic()
        with ThreadPoolExecutor(one.at_once) as threads:
            found = list(threads.map(lambda n: one.send(parcel(id_=n)), range(8)))
        one.close()
    assert found == [str(n) for n in range(8)]
    assert time.monotonic() - began_s < 1.2


@pytest.mark.parametrize(
    ("status", "well"),
    [
        ("Status: running\n\nSMSC connections:\n  A[A] FAKE:1 (online 3s, rcvd: sms 0)", True),
        ("SMSC connections:\n  A[A] X (re-connecting, ...)\n  B[B] Y (online 3s, ...)", True),
        ("(online 9s) smsbox\nSMSC connections:\n  A[A] X (re-connecting, ...)", False),
        ("No boxes connected\nSMSC connections:\n", False),
    ],
)
def test_a_gateway_without_an_sms_centre_is_down(status: str, well: bool) -> None:
    with gateway(answers((200, status))) as url:
        one = carrier(url, status_url=url.replace("cgi-bin/sendsms", "status.txt"))
        try:
            if well:
                one.open()
            else:
                with pytest.raises(CarrierFault, match="no SMS centre of the gateway is on line"):
                    one.open()
        finally:
            one.close()


def test_neither_password_nor_token_nor_words_are_told(caplog: pytest.LogCaptureFixture) -> None:
    repeats = f"wrong: {PASSWORD} {HOOK} x"
    with caplog.at_level(logging.DEBUG):
        for code in (200, 400, 403, 500):
            with pytest.raises(CarrierFault) as fault:
                sent(answers((code, repeats)), "the words of a text")
            assert PASSWORD not in str(fault.value)
            assert "token-of-the-hook" not in str(fault.value)
    for told in (PASSWORD, "token-of-the-hook", "the words of a text"):
        assert told not in caplog.text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"url": "http://gateway.example/x"}, "url: expected https"),
        ({"url": "https://arc:pw@gateway.example/"}, "url: holds a name or a password"),
        ({"url": "gateway"}, "url: expected https"),
        ({"username": "a\r\nX-Evil: 1"}, "username: expected printable ASCII"),
        ({"sender": "é"}, "sender: expected printable ASCII"),
        ({"connections": 0}, "connections: expected 1 to 64"),
        ({"limit_s": 0.1}, "limit_s: expected 1 to 60"),
        ({"password": ""}, "password: expected printable ASCII"),
        ({"hook_url": "https://arc.example/%d/"}, "hook_url: expected letters without %"),
        ({"hook_url": "http://arc.example/hooks/t/"}, "hook_url: expected https"),
    ],
)
def test_settings_that_cannot_be_used_are_named(change: dict[str, Any], said: str) -> None:
    settings: dict[str, Any] = {"url": "https://gateway.example/", "username": "arc"}
    secrets = dict(SECRETS)
    for name, value in change.items():
        (secrets if name in secrets else settings)[name] = value
    with pytest.raises(kinds.SettingsFault) as fault:
        kinds.build("sms_http", settings, secrets, NoEars())
    assert said in str(fault.value)
    assert PASSWORD not in str(fault.value)


def test_http_to_another_machine_is_a_choice_of_the_installation() -> None:
    given = {"url": "http://gateway.example/x", "username": "arc", "plain_http": True}
    assert kinds.build("sms_http", given, SECRETS, NoEars()).at_once == 8


def test_a_certificate_that_is_not_believed_has_nothing(tmp_path: Path) -> None:
    file = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)

    def speaks_tls(line: socket) -> None:
        with context.wrap_socket(line, server_side=True) as inner:
            answers((202, "0: ok"))(inner)

    with gateway(speaks_tls) as url:
        url = url.replace("http:", "https:").replace("127.0.0.1", "localhost")
        with pytest.raises(CarrierFault, match="its certificate is not believed"):
            carrier(url).open()
        one = carrier(url, ca_file=str(file))
        one.open()
        assert one.send(parcel()) == "77"
        one.close()


def certificate(folder: Path) -> Path:
    """A key and a certificate for localhost that nobody else believes."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    today = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "gateway.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file
