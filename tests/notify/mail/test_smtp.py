"""The carrier smtp, against a mail server that no one here wrote: words, TLS, log-in, faults."""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from meldkamer.notify.carrier import CarrierFault, InDoubt, Parcel, Rejected
from meldkamer.notify.kinds import SettingsFault, build, kind_of, read_settings
from meldkamer.notify.letterhead import Letterhead
from meldkamer.notify.mail.composing import Enclosure
from meldkamer.notify.mail.connection import SmtpSettings
from meldkamer.notify.mail.smtp import SmtpCarrier
from meldkamer.notify.mail.verp import bounce_address, message_of
from tests.notify.mail.peer import PASSWORD, USER, Peer, certificates, let_in

HEAD = Letterhead(
    "Securitas",
    company="Securitas Alert Services NV",
    seat="Sint-Lendriksborre 3, 1120 Brussel",
    company_number="0461.363.870",
    licence="17.1234.56",
    licence_until=date(2029, 3, 31),
    emergency_phone="+3227523700",
    email="office@securitas.example",
)
SENDER = "meldkamer@centre.example"


def parcel(to: str = "an@peeters.example", number: int = 7, **more: Any) -> Parcel:
    values: dict[str, Any] = {
        "id": number, "channel": "mail", "template": "interrupted", "address": to,
        "recipient": "An Peeters", "language": "nl", "subject": "Bewaking onderbroken: Café Ölof",
        "body": "Beste,\nwij onderbreken <b>alles</b>.\n\n- één\n- twee\n\n.\n.einde",
        "provider_id": 1, "site_id": None, "incident_id": None, "contact_id": None,
        "created_at": datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC), "attempt": 1,
    }  # fmt: skip
    return Parcel(**values | more)


def carrier(peer: Peer, enclosures: list[Enclosure] | None = None, **more: Any) -> SmtpCarrier:
    values: dict[str, Any] = {
        "host": "127.0.0.1", "port": peer.port, "tls": "none", "sender": SENDER,
        "bounce_domain": "bounces.example", "hello": "centre.example", "timeout_s": 3.0,
    }  # fmt: skip
    password = more.pop("password", "")
    return SmtpCarrier(SmtpSettings(**values | more), password, lambda _: (HEAD, enclosures or []))


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    return certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with Peer() as running:
        yield running


@pytest.mark.clause("M12.4", "S24.5")
def test_a_mail_has_the_same_words_as_text_and_as_html_and_says_who_writes(peer: Peer) -> None:
    one = carrier(peer)
    ref = one.send(parcel())
    got = peer.got[-1]
    mail = got.mail
    assert (got.to, got.sender) == ("an@peeters.example", bounce_address(7, "bounces.example"))
    assert message_of(got.sender) == 7
    assert mail["Subject"] == "Bewaking onderbroken: Café Ölof"
    assert mail["From"] == f"Securitas <{SENDER}>"
    assert mail["To"] == "An Peeters <an@peeters.example>"
    assert mail["Reply-To"] == "office@securitas.example"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Content-Language"] == "nl"
    assert mail["Message-ID"] == f"<{ref}@centre.example>"
    assert mail["Date"].datetime == datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)
    text, html = (
        mail.get_body((kind,)).get_content().replace("\r\n", "\n")  # type: ignore[union-attr]
        for kind in ("plain", "html")
    )
    assert text.startswith("Beste,\nwij onderbreken <b>alles</b>.\n\n- één\n- twee\n\n.\n.einde")
    assert '<html lang="nl">' in html
    assert "<li>één</li>" in html
    assert "&lt;b&gt;alles&lt;/b&gt;" in html
    for line in (
        "Securitas Alert Services NV, Sint-Lendriksborre 3, 1120 Brussel",
        "Ondernemingsnummer (KBO) 0461.363.870 · Vergunning: 17.1234.56, geldig tot 31 maart 2029",
        "dag en nacht +3227523700 · office@securitas.example",
    ):
        assert line in text
        assert line in html
    one.close()


def test_a_paper_goes_with_a_mail_byte_for_byte(peer: Peer) -> None:
    paper = Enclosure("prüfung.pdf", "application/pdf", b"%PDF-1.7\n" + bytes(range(256)) * 40)
    one = carrier(peer, [paper])
    one.send(parcel())
    (part,) = peer.got[-1].mail.iter_attachments()
    assert part.get_filename() == "prüfung.pdf"
    assert part.get_content_type() == "application/pdf"
    assert part.get_payload(decode=True) == paper.content
    one.close()


def test_a_mail_that_is_too_large_is_turned_down_before_anybody_is_asked(peer: Peer) -> None:
    one = carrier(peer, [Enclosure("a.pdf", "application/pdf", b"x" * 20_000)],
                  largest_bytes=20_000)  # fmt: skip
    before = len(peer.got)
    with pytest.raises(Rejected, match="this carrier takes 20000"):
        one.send(parcel())
    assert len(peer.got) == before


def test_a_sender_of_his_own_goes_before_the_letterhead(peer: Peer) -> None:
    one = carrier(peer, sender_name="Centrale, nacht", reply_to="nacht@centre.example")
    one.send(parcel())
    mail = peer.got[-1].mail
    assert mail["From"] == f'"Centrale, nacht" <{SENDER}>'
    assert mail["Reply-To"] == "nacht@centre.example"
    one.close()


def test_what_somebody_typed_never_becomes_a_header(peer: Peer) -> None:
    one = carrier(peer)
    one.send(parcel(subject="A\r\nBcc: x@y.example", recipient='An "A"\nCc: z@y.example'))
    mail = peer.got[-1].mail
    assert (mail["Bcc"], mail["Cc"]) == (None, None)
    assert "Bcc: x@y.example" in mail["Subject"]
    one.close()


@pytest.mark.parametrize(
    ("to", "wire"),
    [
        ("an@bücher.example", "an@xn--bcher-kva.example"),
        ("An.O'Neil+x@EXAMPLE.org", "An.O'Neil+x@example.org"),
        ("jürgen@bücher.example", "jürgen@xn--bcher-kva.example"),
    ],
)
def test_addresses_in_every_script_arrive(peer: Peer, to: str, wire: str) -> None:
    one = carrier(peer)
    one.send(parcel(to))
    assert peer.got[-1].to == wire
    one.close()


def test_an_address_that_the_server_cannot_take_is_turned_down_with_the_reason() -> None:
    with Peer(enable_SMTPUTF8=False) as old:
        one = carrier(old)
        with pytest.raises(Rejected, match="SMTPUTF8"):
            one.send(parcel("jürgen@bücher.example"))
        one.send(parcel("an@bücher.example"))
        assert [got.to for got in old.got] == ["an@xn--bcher-kva.example"]
        one.close()


@pytest.mark.parametrize(
    "to", ["", "an", "@x.example", "an@", "a b@x.example", "a@b@c.example", "an@x..example",
           "an@x.example\nRCPT TO:<b@x.example>", "<an>@x.example", ".an@x.example", "an@host"],
)  # fmt: skip
def test_what_is_no_address_is_turned_down_for_good(peer: Peer, to: str) -> None:
    before = len(peer.got)
    with pytest.raises(Rejected):
        carrier(peer).send(parcel(to))
    assert len(peer.got) == before


def test_a_connection_is_used_again_and_a_dead_one_is_replaced_without_loss(peer: Peer) -> None:
    one = carrier(peer)
    one.open()
    for number in range(1, 4):
        one.send(parcel(number=number))
    assert len({got.connection for got in peer.got[-3:]}) == 1
    before = len(peer.got)
    peer.cut()
    one.send(parcel(number=4))
    assert len(peer.got) == before + 1
    one.close()


@pytest.mark.parametrize(
    ("to", "fault", "words"),
    [
        ("busy", CarrierFault, "451"), ("gone", Rejected, "550 5.1.1 no such user"),
        ("bye", CarrierFault, "421"), ("full", CarrierFault, "452"), ("spam", Rejected, "554"),
        ("drop", InDoubt, "no answer"), ("hang", InDoubt, "no answer"),
    ],
)  # fmt: skip
def test_each_no_of_the_server_is_what_it_is(
    peer: Peer, to: str, fault: type[CarrierFault], words: str
) -> None:
    one = carrier(peer, timeout_s=0.7)
    with pytest.raises(CarrierFault, match=words) as raised:
        one.send(parcel(f"{to}@peeters.example"))
    assert raised.type is fault
    assert (raised.value.after_s is not None) == (to == "bye")
    # who lets strangers wait at RCPT says nothing of the server
    assert raised.value.blames == (to != "busy")
    one.send(parcel())  # and the next one goes
    one.close()


def test_starttls_and_a_password_open_a_server_whose_name_is_proven(
    tls: tuple[Path, ssl.SSLContext], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    ca_file, context = tls
    with Peer(tls_context=context, require_starttls=True, auth_required=True,
              authenticator=let_in) as safe:  # fmt: skip
        settings: dict[str, Any] = {"tls": "starttls", "user": USER, "ca_file": str(ca_file)}
        one = carrier(safe, password=PASSWORD, **settings)
        one.open()
        one.check()
        one.send(parcel())
        one.close()
        assert len(safe.got) == 1
        with pytest.raises(CarrierFault, match="does not let centre in: 535"):
            carrier(safe, password="wrong-and-secret", **settings).open()
        with pytest.raises(CarrierFault, match="CERTIFICATE_VERIFY_FAILED"):
            carrier(safe, password=PASSWORD, **settings | {"ca_file": ""}).open()
        with pytest.raises(CarrierFault, match=r"Hostname mismatch"):
            carrier(safe, password=PASSWORD, **settings | {"host": "localhost"}).open()
        unchecked = carrier(safe, password=PASSWORD, **settings | {"ca_file": "", "verify": False})
        unchecked.open()
        unchecked.close()
    # the peer logs what it hears, as it may
    ours = [record for record in caplog.records if not record.name.startswith("mail.")]
    shown = "\n".join(record.getMessage() for record in ours)
    assert "mail 7 taken" in shown
    assert PASSWORD not in shown
    assert "wrong-and-secret" not in shown
    assert "Bewaking" not in shown


def test_implicit_tls_works_and_a_server_without_starttls_gets_nothing(
    tls: tuple[Path, ssl.SSLContext], peer: Peer
) -> None:
    ca_file, context = tls
    with Peer(implicit=context) as safe:
        one = carrier(safe, tls="implicit", ca_file=str(ca_file))
        one.send(parcel())
        one.close()
        assert len(safe.got) == 1
    before = len(peer.got)
    with pytest.raises(CarrierFault, match="STARTTLS"):
        carrier(peer, tls="starttls").send(parcel())
    assert len(peer.got) == before


def test_nobody_there_is_a_fault_and_takes_no_long_time() -> None:
    with Peer() as gone:
        pass
    one = carrier(gone, timeout_s=1.0)
    began_s = time.monotonic()
    for act in (one.open, one.check, lambda: one.send(parcel())):
        with pytest.raises(CarrierFault, match=r"127\.0\.0\.1"):
            act()
    assert time.monotonic() - began_s < 3
    one.close()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"host": " "}, "host"), ({"port": 70_000}, "port"), ({"sender": "centre"}, "sender"),
        ({"timeout_s": 0}, "timeout_s"), ({"connections": 0}, "connections"),
        ({"user": "x", "tls": "none", "host": "mail.example"}, "over TLS only"),
        ({"bounce_domain": "x y"}, "bounce_domain"), ({"tls": "maybe"}, "tls"),
        ({"reply_to": "x"}, "reply_to"), ({"passwort": "x"}, "passwort"),
    ],
)  # fmt: skip
def test_settings_that_cannot_work_are_refused_by_name(wrong: dict[str, Any], words: str) -> None:
    settings = {"host": "mail.example", "sender": SENDER} | wrong
    with pytest.raises(SettingsFault, match=words):
        read_settings(kind_of("smtp"), settings)


def test_a_file_of_certificates_that_is_not_there_is_named(tmp_path: Path) -> None:
    settings = {"host": "mail.example", "sender": SENDER, "ca_file": str(tmp_path / "no.pem")}
    with pytest.raises(SettingsFault, match=r"no\.pem"):
        build("smtp", settings, {}, None)  # type: ignore[arg-type]


def test_only_a_bounce_address_of_ours_names_a_message() -> None:
    good = bounce_address(12, "x.example")
    assert message_of(good) == 12
    assert message_of(good.upper()) == 12
    assert message_of(good.replace("+12.", "+13.")) is None
    assert message_of("bounces+12.00000000000000000000@x.example") is None
    for other in ("", "@", "office@x.example", "bounces+12@x.example", "x" + good):
        assert message_of(other) is None
