"""A real gammu-smsd with its dummy phone, on a scratch PostgreSQL with the tables of its package.

The phone is a folder: what is put into `sms/1` was received, what was sent goes nowhere. So what a
phone at the other end got is read from `sentitems`, where the daemon writes what it gave.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from meldkamer.project.childhood import die_with_parent
from tests.peers import until

_SCHEMA = Path("/usr/share/doc/gammu-smsd/examples/pgsql.sql")
PHONE_ID = "modem1"
_CONF = """
[gammu]
model = dummy
connection = none
port = {phone}
[smsd]
service = sql
driver = native_pgsql
host = {host}
user = {user}
password =
database = {dbname}
logfile = {log}
debuglevel = 0
commtimeout = 1
receivefrequency = 1
statusfrequency = 1
loopsleep = 1
multiparttimeout = 2
deliveryreport = log
phoneid = {phone_id}
"""
_SMS = """[SMSBackup000]
SMSC = "123456"
SMSCTime = 20261122T061400
State = UnRead
Number = "{number}"
Name = ""
{texts}
{udh}
PDU = {pdu}
Coding = {coding}
Folder = 1
Length = {length}
Class = -1
ReplySMSC = FALSE
RejectDuplicates = FALSE
ReplaceMessage = 0
MessageReference = {reference}
"""


def make_tables(dsn: str) -> None:
    """Those of the package, as its manual says."""
    if not _SCHEMA.exists():
        pytest.fail(f"{_SCHEMA} is not there; gammu-smsd brings it, see scripts/debian-needs")
    with psycopg.connect(dsn, autocommit=True) as line:
        # every PostgreSQL of today has the language already
        line.execute(_SCHEMA.read_text().replace("CREATE LANGUAGE plpgsql;", "").encode())


class Gammu:
    """The daemon, its phone and its database."""

    def __init__(self, folder: Path, dsn: str) -> None:
        self.folder, self.dsn = folder, dsn
        self.phone = folder / "phone"
        (self.phone / "sms" / "1").mkdir(parents=True)
        said = conninfo_to_dict(dsn)
        self.settings: dict[str, Any] = {
            "host": said["host"], "user": said["user"], "database": said["dbname"],
            "phone_id": PHONE_ID,
        }  # fmt: skip
        self.conf = folder / "smsdrc"
        self.conf.write_text(
            _CONF.format(phone=self.phone, log=folder / "log", phone_id=PHONE_ID, **said)
        )
        self._process: subprocess.Popen[bytes] | None = None
        self._came = 0

    def start(self) -> None:
        found = shutil.which("gammu-smsd")
        if found is None:
            pytest.fail("gammu-smsd is not installed; see scripts/debian-needs")
        before = self.rows('SELECT "TimeOut" FROM phones')
        with (self.folder / "out").open("ab") as out:
            self._process = subprocess.Popen(
                [found, "-c", str(self.conf)], stdout=out, stderr=out, preexec_fn=die_with_parent()
            )
        until(
            lambda: self.rows('SELECT "TimeOut" FROM phones') not in ([], before), "the modem runs"
        )

    def stop(self) -> None:
        """As if the machine was switched off."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(5)
            self._process = None

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.dsn, autocommit=True) as line:
            cursor = line.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def got(self, phone: str) -> str:
        """The text that left for this phone, its parts joined."""
        found = self.rows(
            'SELECT "TextDecoded" FROM sentitems WHERE "DestinationNumber" = %s'
            ' ORDER BY "ID", "SequencePosition"',
            phone,
        )
        return "".join(text for (text,) in found)

    def says(self, number: str, text: str, *, udh: str = "", coding: str = "Unicode") -> None:
        """The phone receives this."""
        self._receive(number, text, udh, coding, "Deliver", 0)

    def reports(self, number: str, reference: int, said: str) -> None:
        """The network reports on a text: Delivered, Failed, Pending."""
        self._receive(number, said, "", "Default", "Status_Report", reference)

    def _receive(
        self, number: str, text: str, udh: str, coding: str, pdu: str, reference: int
    ) -> None:
        octets = text.encode("utf-16-be").hex().upper()
        lines = [f"Text{i:02} = {octets[at : at + 200]}" for i, at in enumerate(
            range(0, max(1, len(octets)), 200))]  # fmt: skip
        self._came += 1
        written = self.phone / f"coming{self._came}"
        written.write_text(
            _SMS.format(
                number=number, texts="\n".join(lines), udh=f"UDH = {udh}" if udh else "",
                coding=coding, length=len(octets) // 4, pdu=pdu, reference=reference,
            )
        )  # fmt: skip
        free = next(n for n in range(1, 100) if not (self.phone / "sms/1" / str(n)).exists())
        written.rename(self.phone / "sms/1" / str(free))
