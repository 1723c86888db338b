"""Values of the terms in words: durations, shares, types, treatments.

The key says the unit (`_s`, `_days`, `_km`), so a value is never shown without one. What has no
words of its own is shown as the terms file has it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from meldkamer.console import wording

WORDS: wording.Words = {
    "operator": gettext_lazy("an operator"),
    "app": gettext_lazy("the app"),
    "mail": gettext_lazy("mail"),
    "text": gettext_lazy("one text"),
    "ladder": gettext_lazy("texts, contact by contact"),
    "contract_year": gettext_lazy("a contract year"),
    "calendar_quarter": gettext_lazy("a calendar quarter"),
    "operators": gettext_lazy("the operators"),
    "office": gettext_lazy("the office"),
}
_UNITS = ((86_400, 2), (3_600, 1), (60, 2))


def duration(seconds: int) -> str:
    """The largest unit that leaves nothing over: 90 s, 30 min, 24 h, 30 days."""
    for size, least in _UNITS:
        if seconds % size == 0 and seconds >= size * least:
            count = seconds // size
            if size == 86_400:
                return days(count)
            return f"{count} h" if size == 3_600 else f"{count} min"
    return f"{seconds} s"


def days(count: int) -> str:
    """30 days."""
    return ngettext("%(count)s day", "%(count)s days", count) % {"count": count}


def words(key: str, value: object) -> str:
    """The value of that key as a person reads it."""
    name = key.rpartition(".")[2]
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if value is None or value == () or value == "":
        return _("none")
    for ending, tell in _BY_NAME.items():
        if name.endswith(ending):
            return tell(value)
    if isinstance(value, (tuple, list)):
        return ", ".join(_one(one) for one in value)
    if ".treatment." in key:
        return " + ".join(wording.word(WORDS, part) for part in str(value).split("+"))
    return wording.word(WORDS, str(value)) if str(value) in WORDS else str(value)


def _one(value: object) -> str:
    text = str(value)
    for table in (wording.TYPES, wording.SERVICE_NAMES):
        if text in table:
            return wording.within(wording.word(table, text))
    return text


def _classes(ranks: Sequence[Sequence[str]]) -> str:
    return " › ".join(", ".join(_one(one) for one in rank) for rank in ranks)


def _periods(rows: Sequence[tuple[int, int]]) -> str:
    return ", ".join(f"{duration(period)}: {duration(wait)}" for period, wait in rows)


def _services(names: Sequence[str]) -> str:
    return ", ".join(wording.word(wording.SERVICE_NAMES, name) for name in names)


_BY_NAME: Mapping[str, Callable[[Any], str]] = {
    "by_period_s": _periods,
    "_s": duration,
    "days": days,
    "_km": lambda value: f"{value:g} km",
    "share": lambda value: f"{value * 100:g} %",
    "classes": _classes,
    "forbids": _services,
}
