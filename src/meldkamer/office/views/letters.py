"""The office's post: letters to print, to post, that went and that came back.

Printing and downloading are two things: what was chosen is marked as printed, then its PDF is
fetched, as often as needed. A PDF is a download alone, never shown inside a page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from meldkamer.notify.post import commands, queries
from meldkamer.notify.post.commands import LetterRefused
from meldkamer.notify.post.paper import PaperFault, together
from meldkamer.office.access import Office, in_the_office
from meldkamer.office.screens import letters as screen
from meldkamer.office.views.rendering import page

_AT_ONCE_MOST = 200


@require_GET
@in_the_office
def letters(request: HttpRequest, office: Office) -> HttpResponse:
    """The print queue; what was printed a moment ago can be fetched."""
    return _queue(request, office, printed=_numbers(request.GET.getlist("printed")))


@require_GET
@in_the_office
def gone(request: HttpRequest, office: Office) -> HttpResponse:
    """What was posted, looked for by name, address or number."""
    text = request.GET.get("find", "")[:100].strip()
    found = queries.gone(office.provider_ids, text)
    values = {"rows": screen.rows(office, found), "find": text, "area": "letters", "tab": "gone"}
    return page(request, office, "office/letters_gone.html", values)


@require_GET
@in_the_office
def pdf(request: HttpRequest, office: Office) -> HttpResponse:
    """One or several letters as one PDF, in the order of the queue; a download."""
    numbers = _numbers(request.GET.getlist("id"))
    found = [queries.letter_of(number, office.provider_ids) for number in sorted(numbers)]
    there = [letter for letter in found if letter is not None]
    if not there or len(there) != len(numbers):
        raise Http404(_("There is no such letter with your providers."))
    contents = [bytes(letter.content) for letter in there]
    both_sides = request.GET.get("both") == "on"
    try:
        whole = contents[0] if len(contents) == 1 else together(contents, both_sides=both_sides)
    except PaperFault as fault:
        return HttpResponseBadRequest(str(fault))
    name = "-".join(dict.fromkeys(str(letter.pk) for letter in (there[0], there[-1])))
    answer = HttpResponse(whole, content_type="application/pdf")
    answer.headers["Content-Disposition"] = f'attachment; filename="letter-{name}.pdf"'
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@require_POST
@in_the_office
def print_letters(request: HttpRequest, office: Office) -> HttpResponse:
    """They are printed now: marked, and their PDF is offered."""

    def act() -> str:
        done = commands.mark_printed(
            _chosen(request), office.provider_ids, office.now, office.actor
        )
        more = {"both": "on"} if request.POST.get("both") == "on" else {}
        return urlencode([*(("printed", one.pk) for one in done), *more.items()])

    return _done(request, office, act)


@require_POST
@in_the_office
def post_letters(request: HttpRequest, office: Office) -> HttpResponse:
    """They went to the post; a registered one with the number of its receipt."""

    def act() -> str:
        chosen = _chosen(request)
        numbers = {one: request.POST.get(f"number-{one}", "")[:80] for one in chosen}
        done = commands.mark_posted(
            chosen, office.provider_ids, office.now, office.actor, numbers=numbers
        )
        words = ngettext("%(n)d letter is posted.", "%(n)d letters are posted.", len(done))
        messages.success(request, words % {"n": len(done)})
        return ""

    return _done(request, office, act)


@require_POST
@in_the_office
def requeue(request: HttpRequest, office: Office) -> HttpResponse:
    """The printing failed: once more."""

    def act() -> str:
        reason = request.POST.get("reason", "")
        commands.back_to_queue(
            _chosen(request), office.provider_ids, reason, office.now, office.actor
        )
        messages.success(request, _("Back in the queue: to be printed again."))
        return ""

    return _done(request, office, act)


@require_POST
@in_the_office
def returned(request: HttpRequest, office: Office, letter_id: int) -> HttpResponse:
    """The post brought a letter back."""
    try:
        commands.came_back(
            letter_id, office.provider_ids, request.POST.get("reason", ""), office.now, office.actor
        )
    except LetterRefused as fault:
        if fault.code == "not_there":
            raise Http404(screen.refusal(fault)) from None
        messages.error(request, screen.refusal(fault))
    else:
        messages.success(request, _("Noted: the letter came back."))
    return redirect("office:letters_gone")


def _done(request: HttpRequest, office: Office, act: Callable[[], str]) -> HttpResponse:
    """Do it and go back to the queue; when it is refused nothing is lost of what was typed."""
    try:
        found = act()
    except LetterRefused as fault:
        return _queue(request, office, refused=fault)
    return redirect(f"{reverse('office:letters')}{'?' if found else ''}{found}")


def _queue(
    request: HttpRequest,
    office: Office,
    *,
    printed: set[int] | None = None,
    refused: LetterRefused | None = None,
) -> HttpResponse:
    chosen = frozenset(_chosen(request)) if refused else frozenset(printed or ())
    typed = {name: str(value) for name, value in request.POST.items()} if refused else {}
    rows = screen.rows(
        office, screen.queue(office), typed, chosen, refused.letter_id if refused else 0
    )
    both = request.GET.get("both") == "on"
    fetch = [("id", number) for number in sorted(printed or ())]
    values: dict[str, Any] = {
        "to_print": [row for row in rows if row.letter.state == "to_print"],
        "printed": [row for row in rows if row.letter.state == "printed"],
        "fetch": urlencode([*fetch, *([("both", "on")] if both else [])]) if fetch else "",
        "fetched": len(fetch),
        "refused": screen.refusal(refused) if refused else "",
        "faulty": refused.letter_id if refused else 0,
        "reason": typed.get("reason", ""),
        "area": "letters",
        "tab": "queue",
    }
    return page(request, office, "office/letters.html", values, status=422 if refused else 200)


def _chosen(request: HttpRequest) -> set[int]:
    return _numbers(request.POST.getlist("letter"))


def _numbers(texts: list[str]) -> set[int]:
    """Numbers of letters; what is none is left out."""
    return {int(text) for text in texts[:_AT_ONCE_MOST] if text.isdecimal() and len(text) < 19}
