"""Who may open a patrol's page: the phone that was let in with its unit's link and PIN (S6.1).

A unit is no member of staff and has no account: it sees its own job and nothing else. Invariant:
every view of the patrol goes through `on_patrol`, and whatever it reads is bounded by the unit of a
live access; when the office voids that access, every session that it opened is over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from axes.handlers.proxy import AxesProxyHandler
from axes.utils import reset
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from meldkamer.notify.models import PatrolAccess, PatrolUnit
from meldkamer.notify.patrol import commands
from meldkamer.people.browsers import has_nul, refuse_nul, speak
from meldkamer.rules.shifts import on_shift
from meldkamer.sites.models import Provider

SESSION = "patrol_access"
#: axes counts by name and address; this is the name of every entry of a patrol
_NAME = "patrol page"
View = Callable[..., HttpResponse]


@dataclass(frozen=True)
class Patrol:
    """One request of one unit, and the time."""

    unit: PatrolUnit
    now: datetime

    @property
    def zone(self) -> ZoneInfo:
        """The wall clock of the unit."""
        return ZoneInfo(self.unit.timezone)

    @property
    def practice(self) -> bool:
        """Whether what is shown is practice and nothing real."""
        return Provider.objects.filter(pk=self.unit.provider_id, practice=True).exists()

    @property
    def on_shift(self) -> bool:
        """Whether it may be asked to go now."""
        return on_shift(self.unit.shifts, self.zone, self.now)


def on_patrol(view: View) -> View:
    """The view gets `(request, patrol, …)`; who is not let in is sent to the door.

    A script is told so with 401: what it keeps for later stays with it.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        access = commands.access_of(request.session.get(SESSION))
        if access is None:
            if request.headers.get("X-Requested-With") == "patrol":
                return JsonResponse({"words": _("Log in again.")}, status=401)
            return redirect("patrol:enter")
        if has_nul(request):
            return refuse_nul()
        speak(request, access.unit.language)
        return view(request, Patrol(access.unit, datetime.now(UTC)), *args, **kwargs)

    return guarded


def may_try(request: HttpRequest) -> bool:
    """Whether this address may try another PIN; axes counts and cools off as for passwords."""
    return bool(AxesProxyHandler.is_allowed(request, {"username": _NAME}))


def let_in(request: HttpRequest, token: str, pin: str, now: datetime) -> PatrolAccess:
    """Open the page in this browser for a shift; NoEntry otherwise, counted."""
    try:
        access = commands.enter(token, pin, now)
    except commands.NoEntry:
        user_login_failed.send(__name__, credentials={"username": _NAME}, request=request)
        raise
    reset(username=_NAME, ip=request.META.get("REMOTE_ADDR"))
    request.session.cycle_key()
    request.session[SESSION] = access.pk
    return access
