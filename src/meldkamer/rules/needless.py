"""Needless alarms: what the count of them leads to, and which types may be suspended (S12.2).

Why: who sends the police for nothing is warned first and suspended last. Never: suspend hold-up,
fire or medical, whatever the terms say; a duress code is never held by a suspension either.
"""

from __future__ import annotations

from collections.abc import Iterable

from meldkamer.terms.model import Needless

NEVER_SUSPENDED = ("holdup", "fire", "medical")


def follows(count: int, rules: Needless, *, warned: bool) -> str:
    """What the newest needless incident leads to: "suspend", "warn" or "".

    count: in the window, it included. warned: whether the customer was warned in the window.
    """
    if count >= rules.suspend_at:
        return "suspend"
    return "warn" if count >= rules.warn_at and not warned else ""


def suspended_types(counted: Iterable[str], rules: Needless) -> tuple[str, ...]:
    """The types of the counted incidents that may be suspended, each once, in their order."""
    kept = (*NEVER_SUSPENDED, *rules.never_suspended, "")
    return tuple(dict.fromkeys(kind for kind in counted if kind not in kept))
