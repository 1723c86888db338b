"""Rows of gammu's inbox as replies: the parts of a long one joined, none left behind.

gammu-smsd waits for missing parts itself and then writes what there is, part by part. So parts
are joined when all are there, or when those there are have been alone for a while.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from meldkamer.notify.sms.coding import PieceOf, take_header
from meldkamer.notify.sms.gammu_tables import Came


@dataclass(frozen=True, slots=True)
class Reply:
    """What a person sent. ids: its rows; ref: stays the same however often it is read."""

    ids: tuple[int, ...]
    sender: str
    text: str
    ref: str


def replies(rows: Sequence[Came]) -> list[Reply]:
    """Those that are complete, in the order of their first row."""
    found: list[Reply] = []
    groups: dict[tuple[str, int, int], dict[int, Came]] = {}
    for row in rows:
        piece = _piece(row)
        if piece is None:
            found.append(_reply([row]))
            continue
        key = (row.sender, piece.ref, piece.of)
        if piece.number in groups.get(key, {}):
            # the number of a reply is used again after a while: these are of an older one
            found.append(_reply(_in_order(groups.pop(key))))
        group = groups.setdefault(key, {})
        group[piece.number] = row
        if len(group) == piece.of:
            found.append(_reply(_in_order(groups.pop(key))))
    found += [
        _reply(_in_order(group))
        for group in groups.values()
        if all(row.old for row in group.values())
    ]
    return sorted(found, key=lambda reply: reply.ids[0])


def _in_order(group: dict[int, Came]) -> list[Came]:
    return [group[number] for number in sorted(group)]


def _piece(row: Came) -> PieceOf | None:
    try:
        return take_header(bytes.fromhex(row.udh))[0] if row.udh else None
    except ValueError:
        return None


def _reply(rows: list[Came]) -> Reply:
    first = min(rows, key=lambda row: row.id)
    return Reply(
        ids=tuple(sorted(row.id for row in rows)),
        sender=first.sender,
        text="".join(_words(row) for row in rows),
        # numbers begin again where the tables were made anew; the moment does not come again
        ref=f"inbox:{first.id}:{first.at.isoformat()}",
    )


def _words(row: Came) -> str:
    """What was written; octets that are no text are shown, never nothing: nothing is a reply."""
    if row.coding == "8bit" and not row.words:
        try:
            return bytes.fromhex(row.hex).decode("latin-1")
        except ValueError:
            return row.hex
    return row.words
