"""The wallboard: the page, and what is on it now. It shows and takes nothing."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from meldkamer.console.access import Desk, at_the_desk
from meldkamer.console.screens import wallboard as screen
from meldkamer.console.views.rendering import zone_of


@require_GET
@never_cache
@at_the_desk
def wallboard(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The whole page."""
    return _shown(request, desk, "console/wallboard.html")


@require_GET
@never_cache
@at_the_desk
def now(request: HttpRequest, desk: Desk) -> HttpResponse:
    """What is on it, when something changed."""
    return _shown(request, desk, "console/board.html")


def _shown(request: HttpRequest, desk: Desk, template: str) -> HttpResponse:
    shown = tuple(one for one in desk.providers if one.pk in desk.shown_ids)
    board = screen.board(shown, desk.now, zone_of(desk))
    return render(request, template, {"desk": desk, "board": board})
