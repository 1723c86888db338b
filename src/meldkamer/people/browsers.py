"""What every page does with whoever asks, staff or not: his language, what is no text, where to.

The pages of desk, office and phones stand on one floor and do not know each other; what they have
in common about a request stands here. Never: decide who may see what; each door does that itself.
"""

from __future__ import annotations

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    HttpResponseRedirect,
)
from django.utils import translation
from django.utils.translation import gettext as _

from meldkamer.people.models import Staff


def has_nul(request: HttpRequest) -> bool:
    """NUL characters are no text: PostgreSQL refuses them, so do we, before anything is done."""
    return any(
        "\x00" in value
        for fields in (request.GET, request.POST)
        for key in fields
        for value in (key, *fields.getlist(key))
    )


def refuse_nul() -> HttpResponse:
    """What such a request is answered."""
    return HttpResponseBadRequest(_("A NUL character is not text."))


def speak(request: HttpRequest, language: str) -> None:
    """Answer in this language, unless this browser was told another."""
    if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
        translation.activate(language)
        request.LANGUAGE_CODE = translation.get_language()


def second_factor_missing(staff: Staff) -> bool:
    """Whether the role asks for a second factor that this person has not set up."""
    return staff.role in settings.MELDKAMER_SECOND_FACTOR_ROLES and not is_mfa_enabled(staff)


def go_to(request: HttpRequest, address: str) -> HttpResponse:
    """A redirect; for a fragment the whole page must go, not its part."""
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)
