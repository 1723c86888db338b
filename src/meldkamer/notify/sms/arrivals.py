"""What a person sent over SMPP, stored once: the only writer of SmsArrival.

An SMS centre brings a text again when it did not get our answer, and nothing in the text says so.
What is certainly or probably the same is stored once; what may be a second "ok" of a person is
stored, for an answer that is lost is worse than one that is read twice (S7.3, S7.9).

Pieces of a long answer are kept until the last one came, and are given as they are when it does
not come in time: that deadline stands on the agenda. All of it is one transaction with the inbox.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import psycopg
from django.db import DatabaseError, connection, transaction

from meldkamer.agenda import commands as agenda
from meldkamer.agenda.models import AgendaRow
from meldkamer.notify import inbox
from meldkamer.notify.ears import NotStored
from meldkamer.notify.sms.arriving import Arrival, Connection, Past, is_again
from meldkamer.notify.sms.coding import PieceOf
from meldkamer.notify.sms.models import SmsArrival

#: kind of the agenda's rows: pieces of an answer that are given as they are
PIECES = "sms.pieces"
_KEPT, _TIDIED_AT_ONCE = timedelta(days=3), 20


class Shelf:
    """Where the texts of one carrier are stored; used in the carrier's own thread."""

    def __init__(self, carrier_id: int, pieces_s: int) -> None:
        self._carrier_id, self._pieces_s = carrier_id, pieces_s

    def store(self, arrival: Arrival, over: Connection) -> int:
        """Stored when it returns (COMMIT). NotStored: the centre must bring it again."""
        try:
            return store(self._carrier_id, arrival, over, datetime.now(UTC), self._pieces_s)
        except (DatabaseError, psycopg.Error) as fault:
            connection.close()
            raise NotStored(type(fault).__name__) from fault

    def answered(self, arrival_id: int) -> None:
        """The centre was told that we have it."""
        try:
            SmsArrival.objects.filter(pk=arrival_id).update(answered_at=datetime.now(UTC))
        except (DatabaseError, psycopg.Error):
            # then it counts as not answered: at worst a text is read once instead of twice
            connection.close()

    def leave(self) -> None:
        """The thread ends."""
        connection.close()


@transaction.atomic
def store(carrier_id: int, arrival: Arrival, over: Connection, now: datetime, pieces_s: int) -> int:
    """Store a text, or note that it came again. Returns the arrival's id."""
    _tidy(carrier_id, now)
    row = _before(carrier_id, arrival.digest, over, now)
    piece = arrival.piece
    if row is None and piece is not None:
        row = _in_its_place(carrier_id, arrival, piece, now)
    if row is not None:
        row.session, row.arrived_at, row.answered_at = over.name, now, None
        row.save(update_fields=["session", "arrived_at", "answered_at"])
        return int(row.pk)
    row = SmsArrival.objects.create(
        carrier_id=carrier_id,
        digest=arrival.digest,
        session=over.name,
        arrived_at=now,
        given_at=None if piece else now,
        sender=_clean(arrival.sender, 60),
        to=_clean(arrival.to, 60),
        text=_clean(arrival.text) if piece else "",
        piece_ref=piece.ref if piece else 0,
        piece_of=piece.of if piece else 0,
        piece_number=piece.number if piece else 0,
    )
    if piece is None:
        inbox.store_reply(
            carrier_id, arrival.sender, arrival.text, now, to=arrival.to, ref=f"one.{row.pk}"
        )
    else:
        _gather(row, now, pieces_s)
    return int(row.pk)


def pieces_due(row: AgendaRow, now: datetime) -> None:
    """The rest of a long answer did not come in time: what came is given as it is (S7.4)."""
    first = SmsArrival.objects.filter(pk=row.payload["arrival"], given_at=None).first()
    if first is not None:
        _give(_group(first), now)


def _before(carrier_id: int, digest: str, over: Connection, now: datetime) -> SmsArrival | None:
    rows = SmsArrival.objects.select_for_update().filter(carrier_id=carrier_id, digest=digest)
    found = rows.order_by("-arrived_at").first()
    if found is None:
        return None
    past = Past(found.session, found.arrived_at, found.answered_at)
    return found if is_again(past, over, now) else None


def _in_its_place(
    carrier_id: int, arrival: Arrival, piece: PieceOf, now: datetime
) -> SmsArrival | None:
    """The same piece, that waits already. Another one in its place is of an older text: phones
    count their long texts up to 255 and begin again. What came of that one is given."""
    found = SmsArrival.objects.filter(
        carrier_id=carrier_id,
        sender=_clean(arrival.sender, 60),
        to=_clean(arrival.to, 60),
        piece_ref=piece.ref,
        piece_of=piece.of,
        piece_number=piece.number,
        given_at=None,
    ).first()
    if found is not None and found.text != _clean(arrival.text):
        _give(_group(found), now)
        return None
    return found


def _gather(row: SmsArrival, now: datetime, pieces_s: int) -> None:
    rows = _group(row)
    if len(rows) == row.piece_of:
        _give(rows, now)
        return
    first = min(one.pk for one in rows)
    if first == row.pk:
        agenda.schedule(
            PIECES,
            _subject(first),
            now + timedelta(seconds=pieces_s),
            now,
            payload={"arrival": first},
        )


def _group(one: SmsArrival) -> list[SmsArrival]:
    """The pieces of the same text that wait, in their order; locked."""
    return list(
        SmsArrival.objects.select_for_update()
        .filter(
            carrier_id=one.carrier_id,
            sender=one.sender,
            to=one.to,
            piece_ref=one.piece_ref,
            piece_of=one.piece_of,
            given_at=None,
        )
        .order_by("piece_number")
    )


def _give(rows: Iterable[SmsArrival], now: datetime) -> None:
    """Into the inbox as one text. Pieces that are not there are marked."""
    pieces = list(rows)
    first = min(row.pk for row in pieces)
    by_number = {row.piece_number: row.text for row in pieces}
    texts = [by_number.get(number, " […] ") for number in range(1, pieces[0].piece_of + 1)]
    text = "".join(texts).strip() if len(pieces) < pieces[0].piece_of else "".join(texts)
    inbox.store_reply(
        pieces[0].carrier_id, pieces[0].sender, text, now, to=pieces[0].to, ref=f"long.{first}"
    )
    SmsArrival.objects.filter(pk__in=[row.pk for row in pieces]).update(given_at=now, text="")
    agenda.strike(PIECES, _subject(first), now)


def _subject(first: int) -> str:
    return f"arrival:{first}"


def _clean(text: str, most: int | None = None) -> str:
    return text.replace("\0", "")[:most]


def _tidy(carrier_id: int, now: datetime) -> None:
    old = SmsArrival.objects.filter(
        carrier_id=carrier_id, arrived_at__lt=now - _KEPT, given_at__isnull=False
    ).order_by("arrived_at")
    SmsArrival.objects.filter(
        pk__in=list(old.values_list("pk", flat=True)[:_TIDIED_AT_ONCE])
    ).delete()
