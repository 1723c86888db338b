"""The only writer of operators' tasks: what must be done by a person and is no incident.

Invariant: an open task has an owner, a due time and a row on the agenda (M12.2).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from meldkamer.agenda import commands as agenda
from meldkamer.contracts.models import Task
from meldkamer.journal import commands as journal
from meldkamer.people.models import Staff
from meldkamer.sites.models import Site

DUE = "task.due"
SUSPENSION_CALL = "suspension_call"
OPERATORS, OFFICE, SUPERVISOR = "operators", "office", "supervisor"


def open_task(
    site: Site,
    kind: str,
    clause: str,
    owner: str,
    due_s: int,
    detail: dict[str, Any],
    now: datetime,
) -> Task | None:
    """A task for somebody; None when the site has one of the kind already."""
    if Task.objects.filter(site=site, kind=kind, closed_at=None).exists():
        return None
    due = now + timedelta(seconds=due_s)
    task = Task.objects.create(
        site=site, kind=kind, clause=clause, owner=owner, opened_at=now, ready_at=now, due=due,
        detail=detail,
    )  # fmt: skip
    _schedule(task, now)
    _write("task.opened", task, now, data={"owner": owner, "due": due.isoformat()})
    return task


def _schedule(task: Task, now: datetime) -> None:
    if task.due is not None:
        payload = {"task": task.pk, "site": task.site_id}
        # first when it can be done again, then when it should have been
        next_at = task.ready_at if task.ready_at > now else task.due
        agenda.schedule(DUE, f"task:{task.pk}", next_at, now, payload=payload)


def hand_on(task: Task, owner: str, ready_at: datetime, due: datetime, now: datetime) -> None:
    """Another owner, or later: never without either."""
    task.owner, task.ready_at, task.due = owner, ready_at, due
    task.save()
    _schedule(task, now)
    _write("task.handed_on", task, now, data={"owner": owner, "due": due.isoformat()})


def close(
    task: Task, outcome: str, now: datetime, *, staff: Staff | None = None, reason: str = ""
) -> None:
    """Done or withdrawn."""
    task.closed_at, task.outcome, task.closed_by = now, outcome, staff
    task.owner, task.due, task.calling = None, None, {}
    task.save()
    agenda.strike(DUE, f"task:{task.pk}", now)
    actor = f"staff:{staff.pk}" if staff else journal.SYSTEM
    _write("task.closed", task, now, reason=reason, actor=actor, data={"outcome": outcome})


def in_hands_of(staff: Staff) -> str:
    """The owner of a task that somebody does."""
    return f"staff:{staff.pk}"


def ready(providers: Collection[int], now: datetime) -> list[Task]:
    """What operators can do or are doing now, the most urgent first."""
    return list(
        Task.objects.filter(
            closed_at=None, ready_at__lte=now, site__provider_id__in=list(providers)
        )
        .exclude(owner=OFFICE)
        .select_related("site__provider", "site__customer")
        .order_by("due", "id")
    )


def _write(
    what: str,
    task: Task,
    now: datetime,
    *,
    reason: str = "",
    actor: str = journal.SYSTEM,
    data: dict[str, Any],
) -> None:
    journal.write(
        what, now, provider_id=task.site.provider_id, site_id=task.site_id,
        clause=task.clause, reason=reason, actor=actor,
        data={"task": task.pk, "kind": task.kind, **data},
    )  # fmt: skip
    journal.announce(f"site:{task.site_id}")
    journal.announce("tasks")
