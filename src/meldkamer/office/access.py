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

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from meldkamer.notify import health
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
        return _to(request, redirect_to_login(request.get_full_path()).headers["Location"])
    if staff.role not in roles:
        raise PermissionDenied(_("The office is for office staff and supervisors."))
    if staff.role in settings.MELDKAMER_SECOND_FACTOR_ROLES and not is_mfa_enabled(staff):
        messages.warning(request, _("Your role needs a second factor. Add one first."))
        return redirect("mfa_index")
    if _has_nul(request):
        return HttpResponseBadRequest(_("A NUL character is not text."))
    if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
        translation.activate(staff.language)
        request.LANGUAGE_CODE = translation.get_language()
    office = Office(staff, tuple(providers_of(staff)), datetime.now(UTC))
    with timezone.override(_zone(office)):
        return view(request, office, *args, **kwargs)


def _zone(office: Office) -> ZoneInfo:
    """The wall clock of the house: that of the first provider's terms."""
    return ZoneInfo(load(office.providers[0].terms).timezone if office.providers else "UTC")


def _has_nul(request: HttpRequest) -> bool:
    """NUL characters are no text: refused before anything is done."""
    return any(
        "\x00" in value
        for fields in (request.GET, request.POST)
        for key in fields
        for value in (key, *fields.getlist(key))
    )


def _to(request: HttpRequest, address: str) -> HttpResponse:
    """A redirect; for a fragment the whole page must go, not its part."""
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return redirect(address)
