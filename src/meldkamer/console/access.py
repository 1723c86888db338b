"""Who may sit at the desk, and for which providers.

Invariant: every view of the console goes through `at_the_desk`; whatever it reads or does is
bounded by `Desk.providers`. Never: show or name a thing of a provider that is not assigned.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from meldkamer.people.browsers import go_to, has_nul, refuse_nul, second_factor_missing, speak
from meldkamer.people.models import Staff
from meldkamer.people.queries import providers_of
from meldkamer.sites.models import Provider

PROVIDER_COOKIE = "meldkamer_provider"

View = Callable[..., HttpResponse]


@dataclass(frozen=True)
class Desk:
    """One request of one person: the providers he may see, those he looks at, and the time."""

    staff: Staff
    providers: tuple[Provider, ...]
    chosen: str
    now: datetime

    @property
    def provider_ids(self) -> list[int]:
        """All that he may see."""
        return [provider.pk for provider in self.providers]

    @property
    def shown_ids(self) -> list[int]:
        """What the queue shows: the chosen provider, else all."""
        shown = [p.pk for p in self.providers if not self.chosen or p.slug == self.chosen]
        return shown or self.provider_ids


def at_the_desk(view: View) -> View:
    """The view gets `(request, desk, …)`; who may not sit here is sent on, told why."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        staff = request.user
        if not isinstance(staff, Staff):
            return go_to(request, redirect_to_login(request.get_full_path()).url)
        if not staff.works_the_queue:
            return _elsewhere(request, staff)
        if second_factor_missing(staff):
            messages.warning(
                request, _("Your role needs a second factor. Add one, then the desk opens.")
            )
            return go_to(request, reverse("mfa_index"))
        if has_nul(request):
            return refuse_nul()
        speak(request, staff.language)
        providers = tuple(providers_of(staff))
        desk = Desk(staff, providers, _chosen(request, providers), datetime.now(UTC))
        return view(request, desk, *args, **kwargs)

    return guarded


def supervisors_only(view: View) -> View:
    """Inside `at_the_desk`: for supervisors alone."""

    @wraps(view)
    def guarded(request: HttpRequest, desk: Desk, *args: Any, **kwargs: Any) -> HttpResponse:
        if not desk.staff.is_supervisor:
            raise PermissionDenied(_("This is for supervisors."))
        return view(request, desk, *args, **kwargs)

    return guarded


def whole_number(text: str) -> int | None:
    """A number as a browser sends it, small enough for an id; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _elsewhere(request: HttpRequest, staff: Staff) -> HttpResponse:
    if staff.role == Staff.Role.OFFICE:
        return go_to(request, "/office/")
    raise PermissionDenied(_("Your role has no desk."))


def _chosen(request: HttpRequest, providers: tuple[Provider, ...]) -> str:
    slug = request.COOKIES.get(PROVIDER_COOKIE, "")
    return slug if any(provider.slug == slug for provider in providers) else ""
