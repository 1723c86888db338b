"""Who may work in the office, and for which providers.

Invariant: every view of the office goes through `in_the_office`; what it reads or changes is
bounded by `Office.provider_ids`. A site of another provider does not exist for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from meldkamer.notify import health
from meldkamer.people.browsers import go_to, has_nul, refuse_nul, second_factor_missing, speak
from meldkamer.people.models import Staff
from meldkamer.people.queries import providers_of
from meldkamer.sites.models import Provider, Site
from meldkamer.sites.queries import site_for
from meldkamer.terms.loader import load

ROLES = (Staff.Role.OFFICE, Staff.Role.SUPERVISOR)
View = Callable[..., HttpResponse]


@dataclass(frozen=True)
class Office:
    """One request of one person: the providers he works for, and the time."""

    staff: Staff
    providers: tuple[Provider, ...]
    now: datetime

    @property
    def provider_ids(self) -> list[int]:
        """All that he may see."""
        return [provider.pk for provider in self.providers]

    @property
    def actor(self) -> str:
        """How the journal names him."""
        return f"staff:{self.staff.pk}"

    def provider(self, slug: str) -> Provider:
        """The provider of his that is named so; his first when none is named. Http404 otherwise."""
        if not self.providers:
            raise Http404(_("You work for no provider."))
        found = [one for one in self.providers if not slug or one.slug == slug]
        if not found:
            raise Http404(_("There is no such provider with you."))
        return found[0]

    def site(self, site_id: int) -> Site:
        """A site of his providers; Http404 otherwise."""
        found = site_for(site_id, self.provider_ids)
        if found is None:
            raise Http404(_("There is no such site with your providers."))
        return found


def in_the_office(view: View) -> View:
    """The view gets `(request, office, …)`; who may not work here is sent on or told why."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return _guard(view, ROLES, request, *args, **kwargs)

    return guarded


def in_the_sandbox(view: View) -> View:
    """As `in_the_office`, for operators too, and only for providers that practise.

    A provider practises wholly, or with the channels that are in the sandbox.
    """

    @wraps(view)
    def inside(request: HttpRequest, office: Office, *args: Any, **kwargs: Any) -> HttpResponse:
        practising = {provider.pk for provider, _ in health.in_practice(office.provider_ids)}
        if not practising:
            raise Http404
        mine = tuple(one for one in office.providers if one.pk in practising)
        return view(request, replace(office, providers=mine), *args, **kwargs)

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return _guard(inside, tuple(Staff.Role), request, *args, **kwargs)

    return guarded


def _guard(
    view: View, roles: tuple[Any, ...], request: HttpRequest, *args: Any, **kwargs: Any
) -> HttpResponse:
    staff = request.user
    if not isinstance(staff, Staff):
        return go_to(request, redirect_to_login(request.get_full_path()).url)
    if staff.role not in roles:
        raise PermissionDenied(_("The office is for office staff and supervisors."))
    if second_factor_missing(staff):
        messages.warning(request, _("Your role needs a second factor. Add one first."))
        return go_to(request, reverse("mfa_index"))
    if has_nul(request):
        return refuse_nul()
    speak(request, staff.language)
    office = Office(staff, tuple(providers_of(staff)), datetime.now(UTC))
    with timezone.override(_zone(office)):
        return view(request, office, *args, **kwargs)


def _zone(office: Office) -> ZoneInfo:
    """The wall clock of the house: that of the first provider's terms."""
    return ZoneInfo(load(office.providers[0].terms).timezone if office.providers else "UTC")
