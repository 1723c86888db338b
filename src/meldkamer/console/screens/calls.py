"""Calls that come in, as the desk shows them: who it may be, perhaps; never a thing to trust.

A number proves nothing: networks show what they are told. Of a site only its name is shown here,
and nothing else of it before name and code (S19.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from meldkamer.console.phones import shown
from meldkamer.incidents.telephone import answering
from meldkamer.incidents.telephone.answering import Candidate
from meldkamer.notify.desk import queries
from meldkamer.notify.desk.models import IncomingCall
from meldkamer.people.models import Staff
from meldkamer.sites.models import Provider


@dataclass(frozen=True, slots=True)
class CallRow:
    """A call as the banner says it. mine: this person answered it."""

    id: int
    number: str
    withheld: bool
    perhaps: tuple[Candidate, ...]
    provider: str
    since: datetime
    mine: bool


@dataclass(frozen=True, slots=True)
class MyCall:
    """The call that this person has. raw: its number in E.164, "" when there is none."""

    id: int
    number: str
    raw: str
    perhaps: tuple[Candidate, ...]


def rows(staff: Staff, providers: Sequence[Provider], now: datetime) -> list[CallRow]:
    """The calls that this desk sees now; none in nearly every moment."""
    ids = [int(provider.pk) for provider in providers]
    names = {provider.pk: provider.name for provider in providers}
    return [
        CallRow(
            int(call.pk),
            _number(call),
            not call.caller and not call.caller_text,
            tuple(answering.candidates(call, ids)),
            names.get(call.provider_id or 0, ""),
            call.came_at,
            call.taken_by_id is not None,
        )
        for call in queries.running(ids, staff.pk, now)
    ]


def in_hand(staff: Staff, providers: Sequence[Provider], now: datetime) -> MyCall | None:
    """The call that this person took and that is not over, or was a moment ago."""
    call = queries.in_hand(staff.pk, now)
    if call is None:
        return None
    known = answering.candidates(call, [int(provider.pk) for provider in providers])
    return MyCall(int(call.pk), _number(call), call.caller, tuple(known))


def _number(call: IncomingCall) -> str:
    """The number as it is read, or that there is none."""
    return shown(call.caller) if call.caller else call.caller_text or _("number withheld")
