"""The service of a site as the office sees it: needless alarms, interruptions, tests, papers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from meldkamer.contracts import needless, tasks
from meldkamer.contracts.models import Document, Interruption, Task, TestMode
from meldkamer.contracts.needless import Tally
from meldkamer.incidents.deciding.facts import terms_of
from meldkamer.sites.models import Site
from meldkamer.terms.model import Needless

_SHOWN = 20
_ENDED_SINCE = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Service:
    """All of it, the running first."""

    tally: Tally
    rules: Needless
    task: Task | None
    with_office: bool
    may_suspend: bool
    running: list[Interruption]
    ended: list[Interruption]
    tests: list[TestMode]
    ended_tests: list[TestMode]
    documents: list[Document]


def service(site: Site, now: datetime) -> Service:
    """How the service of a site stands now."""
    terms = terms_of(site)
    tally = needless.tally(site, terms, now)
    task = Task.objects.filter(site=site, closed_at=None).order_by("due").first()
    interruptions = Interruption.objects.filter(site=site).select_related(
        "transmitter", "notice_document", "end_document"
    )
    running = list(interruptions.filter(ended_at=None).order_by("started_at"))
    suspended = any(row.kind == Interruption.Kind.SUSPENDED for row in running)
    tests = TestMode.objects.filter(site=site).select_related("document")
    return Service(
        tally=tally,
        rules=terms.needless,
        task=task,
        with_office=task is not None and task.owner == tasks.OFFICE,
        may_suspend=tally.count >= terms.needless.suspend_at
        and bool(tally.types)
        and not suspended
        and (task is None or task.owner == tasks.OFFICE),
        running=running,
        ended=list(interruptions.exclude(ended_at=None).order_by("-ended_at")[:_SHOWN]),
        tests=list(tests.filter(ended_at=None).order_by("until")),
        ended_tests=list(
            tests.filter(ended_at__gt=now - _ENDED_SINCE).order_by("-ended_at")[:_SHOWN]
        ),
        documents=list(
            Document.objects.filter(site=site).defer("content").order_by("-kept_at")[:_SHOWN]
        ),
    )


def attention(provider_ids: list[int]) -> dict[str, Any]:
    """For the first page: what is interrupted, and what waits for a decision of the office."""
    interrupted = Interruption.objects.filter(
        ended_at=None,
        site__provider_id__in=provider_ids,
    )
    waiting = Task.objects.filter(
        closed_at=None, owner=tasks.OFFICE, site__provider_id__in=provider_ids
    )
    return {
        "interrupted": list(interrupted.select_related("site").order_by("started_at")[:100]),
        "to_decide": list(waiting.select_related("site").order_by("due")[:100]),
    }
