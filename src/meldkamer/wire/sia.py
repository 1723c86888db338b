"""SIA event text (DC-03): blocks, modifiers, events and texts, with the field's quirks.

    #1234|Nti10:23/ri1/id7/BA12^Kitchen^/BA13|Afree text

Why: one frame may carry several alarms; each must become an event of its own.
Never: raise, and never drop an event because something beside it is odd. A modifier holds for
the events that follow it in its block.
Missing separators: `Nri1CL0` (a modifier's value ends where a letter starts) and `BA12BA13`
(letters inside an address that are a listed code followed by a digit begin the next event).
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from .codes import SIA_CODES, lookup_sia
from .signals import Signal, number, place
from .text import to_text


class SiaItem(NamedTuple):
    """One event as received. `modifiers` are those that hold for it, in the order sent."""

    code: str
    address: str = ""
    units: str | None = None
    text: str | None = None
    trailing: str = ""
    modifiers: tuple[tuple[str, str], ...] = ()
    old: bool = False


class Blocks(NamedTuple):
    """What follows the account: events as received, other blocks, events as signals."""

    items: tuple[SiaItem, ...]
    more: tuple[str, ...]
    events: tuple[Signal, ...]


class SiaData(NamedTuple):
    """The whole data field: account inside it (None when left out) and its blocks."""

    account: str | None
    marked: bool
    blocks: Blocks


_MODIFIER: Final = re.compile(r"([a-z]{2})((?:[^A-Za-z/^|*]|[A-F](?![A-Z]))*)(?:\^([^^]*)\^?)?")
_EVENT: Final = re.compile(
    r"([A-Z]{2})([0-9A-F:\-]*)"
    r"(?:\*'([^']*)'[A-Z]*|\*([^/^|]*))?"  # Aritech text, or units
    r"(?:\^([^^]*)\^?)?"
)
_GLUED: Final = re.compile(r"(?<=[0-9])[A-F]{2}(?=[0-9])")
_TRAILING: Final = re.compile(r"[^/]+")
_EVENT_BLOCKS: Final = frozenset("NOE")


def is_account(text: str) -> bool:
    """True for 1-16 letters and digits: what the field accepts as an account."""
    return len(text) <= 16 and text.isalnum() and text.isascii()


def split_blocks(text: str) -> list[str]:
    """Split at "|", but not inside `^...^`."""
    if "^" not in text:
        return text.split("|")
    blocks = [""]
    for index, part in enumerate(text.split("^")):
        if index:
            blocks[-1] += "^"
        if index % 2:
            blocks[-1] += part
            continue
        first, *others = part.split("|")
        blocks[-1] += first
        blocks += others
    return blocks


def split_account(blocks: list[str], header_account: str | None) -> tuple[str | None, bool]:
    """Take the account off the front of `blocks`: (account or None, written with "#").

    Without "#" the first of several blocks is an account when it is the header's, or when it is
    no event block itself.
    """
    first = blocks[0]
    if first.startswith("#"):
        del blocks[0]
        return first[1:], True
    if first == "":
        del blocks[0]
        return None, True
    if len(blocks) == 1 or not is_account(first):
        return None, True
    if first.upper() != (header_account or "").upper() and read_block(first):
        return None, True
    del blocks[0]
    return first, False


def read_sia(data: bytes, header_account: str | None = None) -> SiaData:
    """Read a data field. `items` and `events` are empty when it holds no event code."""
    if data.startswith(b"#") and b"^" not in data:
        inside, _, payload = data.partition(b"|")
        blocks = read_blocks_cached(payload) if len(payload) <= _CACHED else read_blocks(payload)
        return SiaData(to_text(inside[1:]), True, blocks)
    pieces = split_blocks(to_text(data))
    account, marked = split_account(pieces, header_account)
    return SiaData(account, marked, _read_pieces(pieces))


def read_blocks(payload: bytes) -> Blocks:
    """The blocks behind the account, whatever separates them."""
    return _read_pieces(split_blocks(to_text(payload)))


# Panels say the same few things over and over ("Nri0/RP0000"); long payloads are not kept, so
# that nobody can fill the memory through the line.
_CACHED: Final = 48
read_blocks_cached = lru_cache(maxsize=16384)(read_blocks)


def _read_pieces(pieces: list[str]) -> Blocks:
    items: list[SiaItem] = []
    more: list[str] = []
    for piece in pieces:
        found = read_block(piece)
        if found:
            items += found
        elif piece:
            more.append(piece)
    # A free-text block (A) is the text of events that have none of their own.
    note = next((piece[1:] for piece in more if piece[0] == "A"), None)
    return Blocks(tuple(items), tuple(more), tuple(_sia_event(item, note) for item in items))


def read_block(block: str) -> list[SiaItem]:
    """The events of one block; empty when it is no event block or has no event code."""
    if block[:1] not in _EVENT_BLOCKS:
        return []
    items: list[SiaItem] = []
    modifiers: dict[str, str] = {}
    at, end, old = 1, len(block), block[0] == "O"
    while at < end:
        if block[at] == "/":
            at += 1
            continue
        match = _MODIFIER.match(block, at)
        if match is not None:
            name, value, note = match.groups()
            modifiers[name] = value
            if note is not None:
                modifiers[f"{name}_text"] = note
            at = match.end()
            continue
        match = _EVENT.match(block, at)
        if match is None:
            at = _skip(block, at, items)
            continue
        item, at = _event(block, match, modifiers, old)
        items.append(item)
    return items


def _event(
    block: str, match: re.Match[str], modifiers: dict[str, str], old: bool
) -> tuple[SiaItem, int]:
    code, address, aritech, units, text = match.groups()
    held = tuple(modifiers.items())
    if not address.isdigit():
        for glued in _GLUED.finditer(address):
            if glued[0] in SIA_CODES:
                cut = glued.start()
                return SiaItem(code, address[:cut], None, None, "", held, old), match.start(2) + cut
    note = text if aritech is None else aritech
    at = match.end()
    trailing = ""
    if at < len(block) and block[at].isupper() and not _begins_event(block, at):
        rest = _TRAILING.match(block, at)
        trailing = rest[0] if rest else ""
        at += len(trailing)
    return SiaItem(code, address, units, note, trailing, held, old), at


def _begins_event(block: str, at: int) -> bool:
    """Letters right behind an event begin the next one only with a digit behind a known code."""
    return block[at : at + 2] in SIA_CODES and block[at + 2 : at + 3].isdigit()


def _skip(block: str, at: int, items: list[SiaItem]) -> int:
    """Step over what is neither modifier nor event, keeping it with the event before it."""
    rest = _TRAILING.match(block, at)
    skipped = rest[0] if rest else block[at]
    if items:
        items[-1] = items[-1]._replace(trailing=items[-1].trailing + skipped)
    return at + len(skipped)


def _sia_event(item: SiaItem, note: str | None) -> Signal:
    info = lookup_sia(item.code)
    zone, area, user = place(info.address_kind, item.address)
    modifiers = dict(item.modifiers)
    text = (item.text or note or "").strip() or None
    return Signal(
        item.code,
        "sia",
        info,
        zone=zone,
        area=area or number(modifiers.get("ri", "")),
        user=user or number(modifiers.get("id", "")),
        text=text,
        address=item.address,
        old=item.old,
        modifiers=item.modifiers,
    )
