"""Whose phone asks: the cookie that a link left on it, and in which language it is answered.

Invariant: whatever the app shows or takes is bounded by the phone's own links that were not taken
back. Never: a password, a code, anything of the site beyond what a message said.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from meldkamer.notify.push import commands, queries
from meldkamer.notify.push.models import AppLink, AppPhone
from meldkamer.people.browsers import has_nul, refuse_nul, speak

COOKIE, PATH = "meldkamer_app", "/app/"
#: browsers keep a cookie no longer; it is renewed at each visit
_KEPT_S = 400 * 24 * 3600
View = Callable[..., HttpResponse]


@dataclass(frozen=True)
class Visit:
    """One request: the phone (None: it was not let in), its links, and the time."""

    phone: AppPhone | None
    links: tuple[AppLink, ...]
    now: datetime

    @property
    def practice(self) -> bool:
        """Whether what is shown is practice and nothing real."""
        return any(link.contact.site.provider.practice for link in self.links)


def on_a_phone(view: View) -> View:
    """The view gets `(request, visit, …)`; a phone with the app speaks its contact's language."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if has_nul(request):
            return refuse_nul()
        token = request.COOKIES.get(COOKIE, "")
        phone = queries.phone_of(token)
        now = datetime.now(UTC)
        links = tuple(queries.contacts_of(phone)) if phone is not None else ()
        if links:
            speak(request, links[0].contact.language)
        if phone is not None:
            commands.seen(phone, now)
        zone = ZoneInfo(links[0].contact.site.timezone if links else "UTC")
        with timezone.override(zone):
            response = view(request, Visit(phone, links, now), *args, **kwargs)
        if phone is not None and request.method == "GET" and COOKIE not in response.cookies:
            keep(response, token)
        response["Cache-Control"] = "no-store"
        return response

    return guarded


def keep(response: HttpResponse, token: str) -> None:
    """Leave the phone's token on it: for this app alone, and no script reads it."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=_KEPT_S,
        path=PATH,
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )
