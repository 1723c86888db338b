"""The live line to one browser: server-sent events with ids only.

Events: `hello` (where the journal stands; after a gap, what came meanwhile), `change` (an incident
or site; its id is an entry of the journal, so Last-Event-ID replays), `beat` every 2 s. It holds
no database connection while it waits, and ends at once when the process stops or nobody reads.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, TypeVar

from asgiref.sync import sync_to_async
from django.db import connections
from django.db.models import Max
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.http import require_GET

from meldkamer.console.access import whole_number
from meldkamer.console.feed import OVERLAP_S, Change, changes, feed
from meldkamer.journal.models import Entry
from meldkamer.people.browsers import second_factor_missing
from meldkamer.people.models import Staff
from meldkamer.people.queries import providers_of

#: how far back a gap is told in detail; beyond it the console reads everything anew anyway
REPLAY_MOST = 500
#: in a storm a console reads everything anew so often
ANEW_S = 1.0

T = TypeVar("T")


@require_GET
async def stream(request: HttpRequest) -> HttpResponseBase:
    """Changes of the providers this person works for, until he leaves."""
    providers = await sync_to_async(_let_go)(_providers, request)
    if providers is None:
        return HttpResponse(status=403)
    response = StreamingHttpResponse(
        _events(providers, _last_id(request)), content_type="text/event-stream"
    )
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


def _providers(request: HttpRequest) -> list[int] | None:
    staff = request.user
    if not isinstance(staff, Staff) or not staff.works_the_queue or second_factor_missing(staff):
        return None
    return [provider.pk for provider in providers_of(staff)]


def _last_id(request: HttpRequest) -> int | None:
    text = request.headers.get("Last-Event-ID") or request.GET.get("last") or ""
    return whole_number(text)


async def _events(providers: list[int], last: int | None) -> AsyncIterator[bytes]:
    hub = feed()
    listener = await hub.subscribe(providers)
    try:
        yield b"retry: 1000\n\n"
        if not hub.up:
            return
        missed = await sync_to_async(_let_go)(_missed, providers, last)
        yield _event("hello", {"now": _now_ms(), **missed}, missed["entry"])
        anew = _Anew()
        async for batch in changes(listener):
            if batch is None:
                return
            if anew.is_due(batch):
                told = {"now": _now_ms(), "entry": hub.last_entry, "incidents": [], "entries": []}
                yield _event("hello", told, hub.last_entry)
            for change in _once(batch):
                yield _event(
                    "change",
                    {"incident": change.incident, "site": change.site, "now": _now_ms()},
                    change.entry,
                )
            if not batch and hub.up:
                yield _event("beat", {"now": _now_ms()})
    finally:
        hub.leave(listener)


class _Anew:
    """When a console is to read everything anew: in a storm, and not more often than is useful."""

    def __init__(self) -> None:
        self.wanted = False
        self.not_before_s = 0.0

    def is_due(self, batch: list[Change]) -> bool:
        """Whether it is now, after these changes; what is not told now is told with the next."""
        self.wanted = self.wanted or any(change.everything for change in batch)
        if not self.wanted or monotonic() < self.not_before_s:
            return False
        self.wanted, self.not_before_s = False, monotonic() + ANEW_S
        return True


def _once(batch: list[Change]) -> list[Change]:
    """Each incident once: the newest entry speaks for the others."""
    told = {(c.incident, c.site): c for c in batch if not c.everything}
    return list(told.values())


def _missed(providers: list[int], last: int | None) -> dict[str, Any]:
    """Where the journal stands, and what came since `last`, told with an overlap for safety."""
    found = Entry.objects.aggregate(entry=Max("id"))["entry"] or 0
    if last is None:
        return {"entry": found, "incidents": [], "entries": []}
    since = Entry.objects.filter(pk=last).values_list("at", flat=True).first()
    entries = Entry.objects.filter(
        provider_id__in=providers,
        at__gte=(since or datetime.now(UTC)) - timedelta(seconds=OVERLAP_S),
    ).exclude(incident_id=None)
    rows = list(entries.order_by("-id").values_list("id", "incident_id", "what")[:REPLAY_MOST])
    fresh = [row for row in rows if row[0] > last]
    return {
        "entry": found,
        "incidents": sorted({row[1] for row in rows}),
        "entries": [{"id": r[0], "incident": r[1], "what": r[2]} for r in reversed(fresh)],
    }


def _let_go(read: Callable[..., T], *arguments: Any) -> T:
    """Read, and give the connection back: a stream that waits holds none."""
    try:
        return read(*arguments)
    finally:
        connections.close_all()


def _now_ms() -> int:
    return int(datetime.now(UTC).timestamp() * 1000)


def _event(name: str, content: dict[str, Any], event_id: int | None = None) -> bytes:
    head = f"id: {event_id}\n" if event_id else ""
    return f"{head}event: {name}\ndata: {json.dumps(content)}\n\n".encode()
