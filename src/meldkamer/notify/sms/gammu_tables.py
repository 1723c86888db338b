"""The tables of gammu-smsd (its schema 17), as a carrier uses them. Nothing here decides.

gammu-smsd takes texts from `outbox`, moves them to `sentitems`, and puts what comes in into
`inbox`. Its times are of its own clock and zone, without saying which: they are compared with each
other and never with ours.

Invariant: a text and its further parts are put there by one statement, so that the daemon never
takes half of it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

SCHEMA = 17
#: what stands before our numbers in CreatorID
OURS = "meldkamer:"
_CONNECT_S, _STATEMENT_MS = 5, 5000

_PUT = """
WITH head AS (
  INSERT INTO outbox ("DestinationNumber", "Coding", "Text", "TextDecoded", "UDH", "MultiPart",
      "DeliveryReport", "CreatorID", "SenderID", "Priority", "SendingDateTime", "SendingTimeOut")
  VALUES (%(to)s, %(coding)s, %(text)s, %(words)s, %(udh)s, %(several)s, %(report)s, %(ref)s,
      %(phone)s, 10, LOCALTIMESTAMP - interval '1 day', LOCALTIMESTAMP - interval '1 day')
  RETURNING "ID", "SendingTimeOut"
), rest AS (
  INSERT INTO outbox_multipart ("ID", "SequencePosition", "Coding", "Text", "TextDecoded", "UDH")
  SELECT head."ID", part.position, %(coding)s, part.text, part.words, part.udh
  FROM head, unnest(%(positions)s::int[], %(texts)s::text[], %(wordss)s::text[], %(udhs)s::text[])
      AS part(position, text, words, udh)
) SELECT * FROM head"""
_STANDS = 'SELECT "Retries", "SendingTimeOut" FROM outbox WHERE "ID" = %s'
_SENT = 'SELECT "Status", "StatusCode" FROM sentitems WHERE "ID" = %s ORDER BY "SequencePosition"'
_EARLIER = """
SELECT "ID", "SendingTimeOut" FROM outbox WHERE "CreatorID" = %(ref)s
UNION ALL
SELECT "ID", NULL FROM sentitems WHERE "CreatorID" = %(ref)s GROUP BY "ID"
  HAVING NOT bool_or("Status" IN ('Error', 'SendingError'))
ORDER BY 1 DESC LIMIT 1"""
_WITHDRAW = """
WITH gone AS (
  DELETE FROM outbox WHERE "ID" = %(id)s AND ("SendingTimeOut" = %(mark)s OR "Retries" > 0)
  RETURNING "ID"
), rest AS (
  DELETE FROM outbox_multipart USING gone WHERE outbox_multipart."ID" = gone."ID"
) SELECT * FROM gone"""
_CAME = """
SELECT "ID", "SenderNumber", "SMSCNumber", "Coding", "Text", "TextDecoded", "UDH",
    "ReceivingDateTime", LOCALTIMESTAMP - "UpdatedInDB" > interval '15 seconds'
    OR LOCALTIMESTAMP < "UpdatedInDB"
FROM inbox WHERE NOT "Processed" AND (%(phone)s = '' OR "RecipientID" = %(phone)s)
ORDER BY "ID" LIMIT 200"""
_DONE = 'UPDATE inbox SET "Processed" = true WHERE "ID" = ANY(%s)'
_REPORTS = """
SELECT "CreatorID", bool_or("Status" = 'DeliveryFailed'), max("UpdatedInDB") FROM sentitems
WHERE "ID" IN (
    SELECT "ID" FROM sentitems WHERE "CreatorID" LIKE %(ours)s
      AND "UpdatedInDB" >= coalesce(%(since)s::timestamp,
          (SELECT max("UpdatedInDB") FROM sentitems) - interval '3 days'))
  AND NOT EXISTS (SELECT FROM outbox WHERE outbox."ID" = sentitems."ID")
GROUP BY "CreatorID", "ID"
HAVING bool_or("Status" = 'DeliveryFailed') OR bool_and("Status" = 'DeliveryOK')
ORDER BY 3"""
_PHONES = """
SELECT "TimeOut"::text, "Signal" FROM phones WHERE %(phone)s = '' OR "ID" = %(phone)s
ORDER BY "TimeOut" DESC LIMIT 1"""


class NotThere(Exception):
    """There is no connection, so nothing was put there. The words hold no secret."""


class Broken(Exception):
    """The connection broke while something was asked: it may have been done."""


@dataclass(frozen=True, slots=True)
class Part:
    """One text of at most 140 octets. coding: gammu's word; udh: "" for one that is alone."""

    coding: str
    words: str
    udh: str


@dataclass(frozen=True, slots=True)
class Put:
    """A text in the outbox. mark: changes when the daemon takes it; None when it has left."""

    id: int
    mark: datetime | None


@dataclass(frozen=True, slots=True)
class Came:
    """A text that came in. old: no other part of it is written any more."""

    id: int
    sender: str
    centre: str
    coding: str
    hex: str
    words: str
    udh: str
    at: datetime
    old: bool


class Tables:
    """One connection, made anew when it broke. May be used by several threads."""

    def __init__(self, connect: Mapping[str, Any], phone_id: str) -> None:
        self._connect, self._phone = connect, phone_id
        self._lock = threading.Lock()
        self._line: psycopg.Connection[tuple[Any, ...]] | None = None

    def close(self) -> None:
        """Hang up."""
        with self._lock:
            line, self._line = self._line, None
        if line is not None:
            line.close()

    def _rows(self, query: str, values: Any = None) -> list[tuple[Any, ...]]:
        line = self._connected()
        try:
            cursor = line.execute(query, values)
            return cursor.fetchall() if cursor.description else []
        except psycopg.Error as fault:
            if line.closed or line.broken:
                self.close()
                raise Broken("the connection to gammu's database broke") from None
            # its words may hold what was written
            code = fault.sqlstate or type(fault).__name__
            raise NotThere(f"gammu's database refuses it: {code}") from None

    def _connected(self) -> psycopg.Connection[tuple[Any, ...]]:
        with self._lock:
            if self._line is None or self._line.closed:
                try:
                    self._line = psycopg.connect(
                        **self._connect, autocommit=True, connect_timeout=_CONNECT_S,
                        options=f"-c statement_timeout={_STATEMENT_MS}",
                        application_name="meldkamer",
                    )  # fmt: skip
                except psycopg.Error as fault:
                    words = str(fault).strip().splitlines()[-1] if str(fault).strip() else ""
                    raise NotThere(f"gammu's database: {words}") from None
            return self._line

    def version(self) -> int:
        """The schema's number; 0 when there are no such tables."""
        if not self._rows("SELECT 1 WHERE to_regclass('gammu') IS NOT NULL"):
            return 0
        return int(self._rows('SELECT max("Version") FROM gammu')[0][0])

    def put(self, to: str, ref: str, parts: Sequence[Part], report: bool) -> Put:
        """A text into the outbox."""
        head, *rest = parts
        values = {
            "to": to, "ref": ref, "coding": head.coding, "text": _hex(head.words),
            "words": head.words, "udh": head.udh, "several": bool(rest),
            "report": "yes" if report else "no", "phone": self._phone or None,
            "positions": list(range(2, len(parts) + 1)),
            "texts": [_hex(part.words) for part in rest],
            "wordss": [part.words for part in rest],
            "udhs": [part.udh for part in rest],
        }  # fmt: skip
        [(id_, mark)] = self._rows(_PUT, values)
        return Put(id_, mark)

    def earlier(self, ref: str) -> Put | None:
        """The same text of an earlier try, unless the modem could not send it."""
        found = self._rows(_EARLIER, {"ref": ref})
        return Put(*found[0]) if found else None

    def stands(self, id_: int) -> tuple[int, datetime] | None:
        """(retries, mark) of a text that is still in the outbox."""
        found = self._rows(_STANDS, [id_])
        return (found[0][0], found[0][1]) if found else None

    def sent(self, id_: int) -> list[tuple[str, int]]:
        """State and error of each part that left the outbox."""
        return [(state, code) for state, code in self._rows(_SENT, [id_])]

    def withdraw(self, put: Put) -> bool:
        """Take a text back that the modem does not have in its hands."""
        return bool(self._rows(_WITHDRAW, {"id": put.id, "mark": put.mark}))

    def came(self) -> list[Came]:
        """What came in and nobody has taken yet, the oldest first."""
        return [Came(*row) for row in self._rows(_CAME, {"phone": self._phone})]

    def done(self, ids: Sequence[int]) -> None:
        """They were taken."""
        self._rows(_DONE, [list(ids)])

    def reports(self, since: datetime | None) -> list[tuple[str, bool, datetime]]:
        """(ref, failed, when it was told) of texts whose delivery is known; of three days first."""
        values = {"ours": OURS + "%", "since": since}
        return [(ref, failed, at) for ref, failed, at in self._rows(_REPORTS, values)]

    def phone(self) -> tuple[str, int] | None:
        """(sign of life, signal in percent) of the modem; None when no daemon ever ran here."""
        found = self._rows(_PHONES, {"phone": self._phone})
        return (found[0][0], found[0][1]) if found else None


def _hex(words: str) -> str:
    """As gammu reads it without a guess: UTF-16 in hexadecimal."""
    return words.encode("utf-16-be", "replace").hex().upper()
