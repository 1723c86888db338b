"""`meldkamer mail`: direct sessions with the process that takes back what was not delivered."""

from __future__ import annotations

import os
import signal
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from meldkamer.notify.mail.verp import bounce_address
from meldkamer.project.commands.mail import place
from meldkamer.project.faults import OperatingFault
from meldkamer.project.scratch import scratch_database
from tests.notify.mail import reports
from tests.peers import free_port

OURS = bounce_address(7, "centre.example")


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    """A database with one mail, number 7, that went over a carrier."""
    with scratch_database("mail") as found:
        with psycopg.connect(found, autocommit=True) as opened:
            opened.execute(
                "INSERT INTO notify_wayout (id, channel, kind, name, priority, enabled, settings,"
                " two_way, help_phone, version, state, last_fault) VALUES (3, 'mail', 'smtp', 'x',"
                " 1, true, '{}', false, '', 1, 'up', '')"
            )
            opened.execute(
                "INSERT INTO notify_outboxmessage (id, channel, provider_id, recipient, address,"
                " language, template, subject, body, clause, created_at, state, attempts,"
                " last_fault, first_of_incident, urgency, carrier_id, carrier_ref, tried, doubts,"
                " cloud) VALUES (7, 'mail', 1, 'An', 'an@x.example', 'nl', 'resumed', '', 'x',"
                " 'D908.1', now(), 'handed_over', 1, '', false, 5, 3, 'r', '{}', 0, '')"
            )
        yield found


@pytest.fixture(scope="module")
def intake(dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The process; its port."""
    port = free_port()
    log = tmp_path_factory.mktemp("intake") / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "meldkamer.project.cli", "mail"],
            env={
                **os.environ, "DATABASE_URL": dsn, "MELDKAMER_DB_ROLE": "app",
                "MELDKAMER_MAIL_LISTEN": f"127.0.0.1:{port}",
                "MELDKAMER_MAIL_NAME": "in.centre.example",
            },
            stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        _wait_for(port, process, log)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0, log.read_text()
    assert "550 5.1.1 <an@peeters" not in log.read_text()  # nobody's address is in the log


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until_s = time.monotonic() + 20
    while time.monotonic() < until_s and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"meldkamer mail does not listen: {log.read_text()}")


@contextmanager
def session(port: int) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP("127.0.0.1", port, "mx.example", timeout=5) as smtp:
        smtp.ehlo()
        yield smtp


def kept(dsn: str) -> list[tuple[str, str]]:
    with psycopg.connect(dsn) as opened:
        rows = opened.execute("SELECT kind, code FROM notify_incomingmail ORDER BY id").fetchall()
    return [(str(kind), str(code)) for kind, code in rows]


def bring(smtp: smtplib.SMTP, content: bytes, *to: str) -> tuple[int, bytes]:
    """A whole mail with the empty sender; the answer to it."""
    assert smtp.mail("")[0] == 250
    for address in to or (OURS,):
        assert smtp.rcpt(address)[0] == 250
    return smtp.data(content)


def test_what_came_back_is_committed_before_it_is_answered(intake: int, dsn: str) -> None:
    with session(intake) as smtp:
        code, said = bring(smtp, reports.report())
        assert (code, said) == (250, b"2.0.0 stored")
        assert kept(dsn)[-1] == ("failed", "5.1.1")
        before = len(kept(dsn))
        assert bring(smtp, reports.report())[0] == 250  # brought again: known
        assert len(kept(dsn)) == before
    with psycopg.connect(dsn) as opened:
        rows = opened.execute("SELECT carrier_id, state FROM notify_receipt").fetchall()
    assert rows == [(3, "failed")]


@pytest.mark.parametrize(
    "address",
    ["office@centre.example", "bounces+7.00000000000000000000@centre.example",
     OURS.replace("+7.", "+8."), "bounces+7@centre.example"],
    # the signature is another one in each installation
    ids=["somebody", "forged", "of another message", "unsigned"],
)  # fmt: skip
def test_only_addresses_of_ours_are_taken_and_nothing_is_handed_on(
    intake: int, address: str
) -> None:
    with session(intake) as smtp:
        assert smtp.mail("someone@else.example")[0] == 250
        code, said = smtp.rcpt(address)
        assert (code, said[:5]) == (550, b"5.1.1")
        assert smtp.docmd("DATA")[0] == 503


def test_a_message_that_is_not_there_is_refused_for_good(intake: int) -> None:
    with session(intake) as smtp:
        assert bring(smtp, reports.report(), bounce_address(99, "x.example"))[0] == 550


def test_a_mail_that_is_too_large_is_refused_before_it_is_read(intake: int) -> None:
    with session(intake) as smtp:
        assert smtp.mail("", [f"SIZE={13_000_000}"])[0] == 552
        assert smtp.mail("")[0] == 250


def test_nobody_can_hold_the_port_with_many_connections(intake: int) -> None:
    held = [smtplib.SMTP("127.0.0.1", intake, timeout=5) for _ in range(20)]
    try:
        with pytest.raises((smtplib.SMTPException, OSError)), session(intake) as smtp:
            bring(smtp, reports.AWAY)
    finally:
        for smtp in held:
            smtp.close()
    time.sleep(0.1)
    with session(intake) as smtp:
        assert bring(smtp, reports.AWAY)[0] == 250


def test_while_the_database_is_away_a_mail_is_to_come_again(intake: int, dsn: str) -> None:
    name = conninfo_to_dict(dsn)["dbname"]
    before = len(kept(dsn))
    content = reports.report("delayed", "4.4.7")
    with psycopg.connect(make_conninfo(dsn, dbname="postgres"), autocommit=True) as house:
        allow = sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS {}")
        house.execute(allow.format(sql.Identifier(name), sql.Literal(False)))
        try:
            house.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
            )
            with session(intake) as smtp:
                for _ in range(2):
                    assert bring(smtp, content)[0] == 451
        finally:
            house.execute(allow.format(sql.Identifier(name), sql.Literal(True)))
    with session(intake) as smtp:
        assert bring(smtp, content)[0] == 250
    assert len(kept(dsn)) == before + 1


@pytest.mark.parametrize("text", ["", "2525", "127.0.0.1", "127.0.0.1:x", ":2525", "h:99999"])
def test_where_to_listen_is_said_in_full_or_refused(text: str) -> None:
    with pytest.raises(OperatingFault, match=r"expected host:port"):
        place(text)


def test_an_address_of_ipv6_stands_in_brackets() -> None:
    assert place("[::1]:2525") == ("::1", 2525)
