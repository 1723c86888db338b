"""What an office made of the words: kept per process, asked for without a query.

The newest number of the table is looked at once in `LOOK_EVERY_S` at most, and the whole table is
read again when it changed: a change is seen by every process within so long, by the one that made
it at once. Between two looks a message may still go out in the words of before; it says what was
true when it was written either way.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter

from django.db import connection

LOOK_EVERY_S = 2.0

_parse = Formatter().parse


@dataclass(frozen=True, slots=True)
class OwnWords:
    """Subject and body in pieces: text, and the name of the fact that comes after it."""

    subject: tuple[tuple[str, str], ...]
    body: tuple[tuple[str, str], ...]

    def filled(self, values: Mapping[str, object]) -> tuple[str, str] | None:
        """With the facts in; None when one that it names is not there: a number to call."""
        for _, name in (*self.subject, *self.body):
            if name and (name not in values or (name == "phone" and not values[name])):
                return None
        return _filled(self.subject, values), _filled(self.body, values)


def pieces(text: str) -> tuple[tuple[str, str], ...]:
    """Text and names in turn; ValueError for braces that do not close and for any format.

    Only plain names: `{site.name}` or `{site:>99999}` would run what somebody typed.
    """
    found = []
    for before, name, form, conversion in _parse(text):
        if form or conversion or (name is not None and not name.isidentifier()):
            raise ValueError(f"{{{name}}} is no name")
        found.append((before, name or ""))
    return tuple(found)


def _filled(parts: tuple[tuple[str, str], ...], values: Mapping[str, object]) -> str:
    return "".join(text + (str(values[name]) if name else "") for text, name in parts)


class _Kept:
    """The table as this process knows it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.looked_s = float("-inf")
        self.version: tuple[object, ...] = ()
        self.words: dict[tuple[int, str, str], OwnWords] = {}

    def look(self) -> None:
        """Read the table again when it has changed."""
        now_s = time.monotonic()
        if now_s - self.looked_s < LOOK_EVERY_S and self.version[:1] == _database():
            return
        with self.lock:
            version = _version()
            if version != self.version:
                self.words = _read()
                self.version = version
            self.looked_s = now_s


_kept = _Kept()


def words_of(provider_id: int | None, template: str, language: str) -> OwnWords | None:
    """The provider's own words of a message in a language; None: the shipped ones hold."""
    if provider_id is None:
        return None
    _kept.look()
    return _kept.words.get((provider_id, template, language))


def forget() -> None:
    """Look again at the next message: this process has just changed the table."""
    _kept.looked_s = float("-inf")


def _database() -> tuple[object, ...]:
    return (connection.settings_dict["NAME"],)


def _version() -> tuple[object, ...]:
    from meldkamer.notify.templates.models import MessageTemplate

    newest = MessageTemplate.objects.order_by("-pk").values_list("pk", flat=True).first()
    return (*_database(), newest)


def _read() -> dict[tuple[int, str, str], OwnWords]:
    """The newest version of each; those that went back to the shipped words are left out."""
    from meldkamer.notify.templates.models import MessageTemplate

    found = {}
    for row in MessageTemplate.objects.order_by(
        "provider_id", "key", "language", "-version"
    ).distinct("provider_id", "key", "language"):
        if row.shipped:
            continue
        try:
            words = OwnWords(pieces(row.subject), pieces(row.body))
        except ValueError:  # checked when it was saved; the shipped words go out
            continue
        found[row.provider_id, row.key, row.language] = words
    return found
