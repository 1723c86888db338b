"""The operators' tasks: the customer is called before a suspension (S12.2), as any call is made.

Views decide nothing: the commands ask for name and code, write to the customer and start the
suspension in one transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from meldkamer.console import wording
from meldkamer.console.access import Desk, at_the_desk
from meldkamer.console.screens import refusals, service
from meldkamer.console.screens.exchange import Hint, hint
from meldkamer.console.screens.refusals import Refusal
from meldkamer.console.views.rendering import middle
from meldkamer.contracts import needless
from meldkamer.contracts.models import Task
from meldkamer.incidents.deciding.facts import terms_of
from meldkamer.incidents.faults import Refused
from meldkamer.incidents.service import customer_calls
from meldkamer.incidents.service.customer_calls import Callee
from meldkamer.incidents.telephone import desk_calls
from meldkamer.notify.desk import queries as desk_queries
from meldkamer.rules.facts import PREMISES

_FOLLOWS = {
    "told": _("Told. The customer was written to, the suspension has begun."),
    "nothing": _("Told. Nothing may be suspended any more: the task is closed."),
    "next": _("Not told. The next number."),
    "again": _("Not told. The task comes back later."),
    "supervisor": _("Not told. A supervisor has the task now."),
}


@require_GET
@never_cache
@at_the_desk
def task(request: HttpRequest, desk: Desk, task_id: int) -> HttpResponse:
    """One task: whom to call, what to say, what came of it."""
    return _show(request, desk, task_id)


@require_POST
@at_the_desk
def act(request: HttpRequest, desk: Desk, task_id: int, act: str) -> HttpResponse:
    """Dial, check a code, or say what came of the call."""
    do = _ACTS.get(act)
    if do is None:
        raise Http404
    _visible(task_id, desk)
    try:
        told = do(desk, task_id, request)
    except Refused as fault:
        return _show(request, desk, task_id, refusals.of_fault(fault, "", None, desk.now))
    return _show(request, desk, task_id, told=told)


def _dial(desk: Desk, task_id: int, request: HttpRequest) -> str:
    desk_calls.dial_customer(desk.staff, task_id, request.POST.get("to", ""), desk.now)
    return ""


def _code(desk: Desk, task_id: int, request: HttpRequest) -> str:
    customer_calls.check_code(desk.staff, task_id, request.POST.get("code", ""), desk.now)
    return ""


def _result(desk: Desk, task_id: int, request: HttpRequest) -> str:
    said = request.POST.get("result", "")
    follows = customer_calls.result(
        desk.staff,
        task_id,
        "reached" if said in ("told", "not_told") else said,
        desk.now,
        told=said != "not_told",
    )
    return str(_FOLLOWS.get(follows, ""))


_ACTS: dict[str, Callable[[Desk, int, HttpRequest], str]] = {
    "dial": _dial,
    "code": _code,
    "result": _result,
}


def _named(one: Callee) -> Callee:
    """The premises have no name of their own where nobody is known to answer there."""
    if one.name != PREMISES:
        return one
    return replace(one, name=wording.word(wording.SERVICE_NAMES, PREMISES))


def _hint(task: Task, running: dict[str, Any]) -> Hint | None:
    """What the exchange says of the call that runs."""
    if not running.get("at"):
        return None
    since = datetime.fromisoformat(str(running["at"]))
    call = desk_queries.last_call(task_id=task.pk)
    return hint(call, str(running["key"]), since, ZoneInfo(task.site.timezone))


def _visible(task_id: int, desk: Desk) -> Task:
    found = (
        Task.objects.filter(pk=task_id, site__provider_id__in=desk.provider_ids)
        .select_related("site__provider", "site__customer")
        .first()
    )
    if found is None:
        raise Http404
    return found


def _show(
    request: HttpRequest,
    desk: Desk,
    task_id: int,
    refusal: Refusal | None = None,
    told: str = "",
) -> HttpResponse:
    row = _visible(task_id, desk)
    terms = terms_of(row.site)
    tally = needless.tally(row.site, terms, desk.now)
    running = row.calling if row.calling.get("staff") == desk.staff.pk else {}
    following = customer_calls.next_callee(row)
    wanted = running.get("key") or (following.key if following else "")
    numbers = [_named(one) for one in customer_calls.callees(row.site)]
    left = terms.identification.tries - int(running.get("tries", 0))
    return middle(
        request,
        desk,
        "console/task.html",
        {
            "task": row,
            "tally": tally,
            "types": wording.within(", ".join(service.types(list(tally.types)))),
            "callee": next((n for n in numbers if n.key == wanted), None),
            "numbers": numbers,
            "running": running,
            "left": left,
            "hint": _hint(row, running),
            "calls": [
                (call["name"], wording.word(wording.RESULTS_SHORT, call["result"]))
                for call in row.calls
            ],
            "house": terms.house.name,
            "refusal": refusal,
            "told": told,
        },
    )
