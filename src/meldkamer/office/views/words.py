"""The words of messages: every message of a provider, changed per language with a live preview.

Nothing that is typed is kept before it is saved; what is saved holds from the next message on.
Versions are never changed: the way back is a version too.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from meldkamer.notify.templates.catalogue import CATALOGUE
from meldkamer.notify.templates.commands import (
    Overtaken,
    WordsRefused,
    back_to_shipped,
    write_words,
)
from meldkamer.notify.templates.models import BODY_MOST, SUBJECT_MOST
from meldkamer.notify.templates.queries import newest
from meldkamer.office.access import Office, in_the_office
from meldkamer.office.screens import words as screen
from meldkamer.office.views.rendering import page
from meldkamer.office.wording import LANGUAGES
from meldkamer.sites.models import Provider

#: more than could ever be kept: what is cut off here is refused by its length anyhow
_TYPED_MOST = 2 * BODY_MOST


def _known(key: str, language: str) -> None:
    if key not in CATALOGUE or language not in LANGUAGES:
        raise Http404(_("There is no such message."))


def _address(name: str, provider: Provider, *arguments: str) -> str:
    return f"{reverse(f'office:{name}', args=arguments)}?provider={provider.slug}"


@require_GET
@in_the_office
def listing(request: HttpRequest, office: Office) -> HttpResponse:
    """Every message of a provider, and where its office has words of its own."""
    provider = office.provider(request.GET.get("provider", ""))
    values = {"provider": provider, "channels": screen.listing(provider), "area": "words"}
    return page(request, office, "office/words.html", values)


@require_http_methods(["GET", "POST"])
@in_the_office
def message(request: HttpRequest, office: Office, key: str, language: str) -> HttpResponse:
    """One message in one language: read, changed, and what it was before."""
    _known(key, language)
    provider = office.provider(request.GET.get("provider", ""))
    holds = newest(provider.pk, key, language)
    if request.method == "GET":
        own = holds if holds and not holds.shipped else None
        subject, body = (
            (own.subject, own.body) if own else screen.shipped_words(key, language, provider)
        )
        return _shown(request, office, provider, key, language, subject, body)
    subject, body = _typed(request)
    try:
        write_words(
            provider, key, language, subject, body, office.now, office.actor,
            seen=_seen(request), accepted=request.POST.get("accepted") == "on",
        )  # fmt: skip
    except WordsRefused:
        return _shown(request, office, provider, key, language, subject, body, refused=True)
    except Overtaken:
        return _shown(request, office, provider, key, language, subject, body, overtaken=True)
    messages.success(request, _("Saved. It holds from the next message on."))
    return redirect(_address("word", provider, key, language))


@require_POST
@in_the_office
def preview(request: HttpRequest, office: Office, key: str, language: str) -> HttpResponse:
    """What is typed, filled in, while it is typed; nothing is kept."""
    _known(key, language)
    provider = office.provider(request.GET.get("provider", ""))
    values = _previewed(request, provider, key, language, *_typed(request))
    return render(request, "office/words_preview.html", values)


@require_POST
@in_the_office
def to_shipped(request: HttpRequest, office: Office, key: str, language: str) -> HttpResponse:
    """Back to the shipped words."""
    _known(key, language)
    provider = office.provider(request.GET.get("provider", ""))
    try:
        back_to_shipped(provider, key, language, office.now, office.actor, seen=_seen(request))
    except Overtaken:
        messages.error(request, _("Somebody saved another version meanwhile. Look at it first."))
    else:
        messages.success(request, _("The shipped words hold from the next message on."))
    return redirect(_address("word", provider, key, language))


def _typed(request: HttpRequest) -> tuple[str, str]:
    return (
        request.POST.get("subject", "")[: 2 * SUBJECT_MOST],
        request.POST.get("body", "")[:_TYPED_MOST],
    )


def _seen(request: HttpRequest) -> int:
    """The version that the writer had before him; one that is no number is no version."""
    text = request.POST.get("seen", "")
    return int(text) if text.isdecimal() and len(text) < 9 else -1


def _previewed(
    request: HttpRequest, provider: Provider, key: str, language: str, subject: str, body: str
) -> dict[str, Any]:
    kind = request.POST.get("kind", "power")
    return {
        "preview": screen.preview(provider, key, language, subject, body, kind),
        "words": CATALOGUE[key],
        "language": language,
        "kind": kind,
    }


def _shown(
    request: HttpRequest,
    office: Office,
    provider: Provider,
    key: str,
    language: str,
    subject: str,
    body: str,
    *,
    refused: bool = False,
    overtaken: bool = False,
) -> HttpResponse:
    words = CATALOGUE[key]
    versions = screen.history(provider, key, language)
    shipped = screen.shipped_words(key, language, provider)
    values = {
        **_previewed(request, provider, key, language, subject, body),
        "provider": provider,
        "key": key,
        "title": _(words.title),
        "languages": [(one, LANGUAGES[one]) for one in LANGUAGES],
        "subject": subject,
        "body": body,
        "shipped_subject": shipped[0],
        "shipped_body": shipped[1],
        "facts": screen.facts_of(words),
        "says": list(words.says.items()),
        "versions": versions,
        "seen": versions[0].number if versions else 0,
        "own": bool(versions) and not versions[0].shipped,
        "kinds": screen.kinds(),
        "has_kind": "type" in words.facts,
        "refused": refused,
        "overtaken": overtaken,
        "area": "words",
    }
    status = 422 if refused else 409 if overtaken else 200
    return page(request, office, "office/words_one.html", values, status=status)
