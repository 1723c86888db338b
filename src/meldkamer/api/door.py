"""The door of every web hook: whose call it is, what it brought, and what it is answered.

A hook is a function of a `Call` that stores what came and returns. It is answered 200 only after
that was committed, so that a caller who hears anything else brings it again. The door never starts
a session, never asks for a login or a cookie, and never writes a token or what was brought into a
log.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from meldkamer.api.fields import BadInput, Fields, TooLarge, UnknownBody, read
from meldkamer.notify import inbox
from meldkamer.notify.models import WayOut

logger = logging.getLogger(__name__)
#: a token is some 40 characters; a longer one is nobody's and is not even looked up
_TOKEN_MOST = 200


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a hook: the carrier it speaks for, what it brought, and when it came.

    request: for a hook whose caller signs the very bytes that it sent.
    """

    carrier: WayOut
    fields: Fields
    now: datetime
    request: HttpRequest


#: stores what came and returns after COMMIT. The text is the answer's body: "" for most callers.
Hook = Callable[[Call], str]
_PLAIN = "text/plain; charset=utf-8"
View = Callable[[HttpRequest, str], HttpResponse]


def hook(*channels: str, content_type: str = _PLAIN) -> Callable[[Hook], View]:
    """Make a view of a hook for carriers of these channels.

    200 stored · 400 what was wrong and what was expected · 404 no carrier has this token, or it is
    not of these channels · 405 neither GET nor POST · 413 too large · 415 a body of a kind that
    cannot be read · 503 the database did not store it: bring it again.
    """

    def of(work: Hook) -> View:
        @csrf_exempt
        @never_cache
        def view(request: HttpRequest, token: str) -> HttpResponse:
            try:
                carrier = _whose(request, token, channels)
                return _answer(200, work(Call(carrier, _read(request), datetime.now(UTC),
                                               request)), content_type)  # fmt: skip
            except _Refused as refused:
                return _answer(refused.status, str(refused))
            except BadInput as fault:
                # names of fields and what was expected; what was brought is not logged
                logger.warning("a hook of carrier %s brought bad input: %s", carrier.pk, fault.hint)
                return _answer(400, str(fault))
            except DatabaseError as fault:
                # its words may hold what was brought
                logger.error("a hook was not stored: %s", type(fault).__name__)
                return _answer(503, "not stored; bring it again\n")

        return view

    return of


class _Refused(Exception):
    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


def _whose(request: HttpRequest, token: str, channels: tuple[str, ...]) -> WayOut:
    """The carrier of the token. One answer for every stranger: it does not say what there is."""
    carrier = inbox.way_out_of(token) if len(token) <= _TOKEN_MOST else None
    if carrier is None or carrier.channel not in channels:
        raise _Refused(404, "no such hook\n")
    if request.method not in ("GET", "POST"):
        raise _Refused(405, "expected GET or POST\n")
    return carrier


def _read(request: HttpRequest) -> Fields:
    try:
        return read(request)
    except TooLarge as fault:
        raise _Refused(413, str(fault)) from None
    except UnknownBody as fault:
        raise _Refused(415, str(fault)) from None


def _answer(status: int, text: str, content_type: str = _PLAIN) -> HttpResponse:
    answer = HttpResponse(text, content_type, status)
    if status == 405:
        answer.headers["Allow"] = "GET, POST"
    if status == 503:
        answer.headers["Retry-After"] = "5"
    # else Django logs the path of a refused call, and the token with it
    answer._has_been_logged = True  # type: ignore[attr-defined]
    return answer
