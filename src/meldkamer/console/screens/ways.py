"""The ways out at the desk: one quiet line while something fails, and what is practice.

On time is silent: nothing is shown while every channel is on its first carrier. A channel on its
second is a remark; one that nothing works for is said in words. What stays in the house is said on
every page, for an operator must never wonder whether a text is real.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from meldkamer.console import wording
from meldkamer.notify import health
from meldkamer.notify.channel_words import CHANNEL_WORDS
from meldkamer.notify.health import ChannelNow
from meldkamer.sites.models import Provider

READ_S = 2


@dataclass(frozen=True, slots=True)
class Ways:
    """What the top bar says. icon: "" while all is well. practice: whose messages stay inside."""

    icon: str
    words: str
    more: int
    practice: str


def ways(providers: tuple[Provider, ...], now: datetime) -> Ways:
    """How the channels of these providers are now."""
    found = list(_read(providers, int(now.timestamp() // READ_S)))
    failing = [one for one in found if one.attention]
    worst = min(failing, key=_rank, default=None)
    return Ways(
        icon="" if worst is None else "poor" if worst.state in ("second", "unknown") else "bad",
        words="" if worst is None else _words(worst, named=len(providers) > 1),
        more=max(0, len(failing) - 1),
        practice=practice_words(providers, found),
    )


@lru_cache(maxsize=64)
def _read(providers: tuple[Provider, ...], tick: int) -> tuple[ChannelNow, ...]:
    """Read every two seconds at most: in a storm the queue is drawn far more often than that."""
    return tuple(health.channels_of(providers, datetime.fromtimestamp(tick * READ_S, UTC)))


def _rank(one: ChannelNow) -> tuple[int, int]:
    return (("bad", "none", "unknown", "second").index(one.state), -one.waiting)


def _words(one: ChannelNow, *, named: bool) -> str:
    what = " ".join(part for part in (channel_word(one.channel), one.lane) if part)
    if named:
        what = f"{what}, {one.provider.name}"
    if one.state == "second":
        said = _("%(what)s: %(first)s down, using %(used)s") % {
            "what": what, "first": one.first, "used": one.in_use,
        }  # fmt: skip
    elif one.state == "none":
        said = _("%(what)s: no carrier") % {"what": what}
    elif one.state == "unknown":
        said = _("%(what)s: not known whether it works") % {"what": what}
    else:
        said = _("%(what)s: does not work") % {"what": what}
    if one.waiting and one.state != "second":
        waits = ngettext("%(n)s waits", "%(n)s wait", one.waiting) % {"n": one.waiting}
        said = f"{said}, {waits}"
    return said


def channel_word(channel: str) -> str:
    """A channel as a reader says it."""
    return wording.word(CHANNEL_WORDS, channel)


def practice_words(providers: tuple[Provider, ...], found: list[ChannelNow]) -> str:
    """Whose messages stay in the house: whole providers, else their channels; "" for none."""
    said = []
    for provider in providers:
        inside = {
            channel_word(one.channel): None
            for one in found
            if one.provider.pk == provider.pk and one.state == "practice"
        }
        if provider.practice:
            said.append(provider.name)
        elif inside:
            said.append(f"{provider.name} ({', '.join(inside)})")
    return "; ".join(said)


def practising(providers: tuple[Provider, ...]) -> frozenset[int]:
    """Whose alarms are exercises, at a desk that has real ones too; at no other is it of use."""
    found = frozenset(provider.pk for provider in providers if provider.practice)
    return found if len(found) < len(providers) else frozenset()
