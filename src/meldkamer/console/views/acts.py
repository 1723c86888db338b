"""Doing: each key of the desk is one command. A refusal is shown, with clause and way on.

The table `_ACTS` is the list of what an operator can do to an incident. Views decide nothing:
the commands ask the rules. Invariant: nothing is done to an incident of a provider that the
operator does not work for; it does not exist for him.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from meldkamer.console.access import Desk, at_the_desk, whole_number
from meldkamer.console.screens import refusals
from meldkamer.console.screens.refusals import Refusal
from meldkamer.console.views.rendering import after_act, gone
from meldkamer.incidents import commands, queries
from meldkamer.incidents.deciding.facts import incident_facts
from meldkamer.incidents.faults import Refused
from meldkamer.incidents.models import Incident
from meldkamer.incidents.operating import dispatching
from meldkamer.incidents.telephone import desk_calls
from meldkamer.incidents.telephone.handing_over import Accepted
from meldkamer.rules import procedures, services

SERVICES = ("police", "fire", "medical")
Done = Refusal | str | None
Act = Callable[[Desk, Incident, QueryDict], Done]


@require_POST
@at_the_desk
def take_next(request: HttpRequest, desk: Desk) -> HttpResponse:
    """N: the first of the queue (S15.1)."""
    taken = commands.take_next(desk.staff, desk.now)
    if taken is None:
        back = whole_number(request.POST.get("open", ""))
        refusal = Refusal(_("Nothing waits."), "", "", grave=False)
        try:
            return after_act(request, desk, back, refusal=refusal)
        except Incident.DoesNotExist:
            return after_act(request, desk, None, refusal=refusal)
    return after_act(request, desk, taken.pk)


@require_POST
@at_the_desk
def act(request: HttpRequest, desk: Desk, incident_id: int, act: str) -> HttpResponse:
    """One act on one incident. What comes back is a refusal, the next panel, or nothing."""
    do = _ACTS.get(act)
    if do is None:
        raise Http404
    try:
        incident = queries.incident_for(incident_id, desk.provider_ids)
    except Incident.DoesNotExist:
        raise Http404(gone()) from None
    try:
        done = do(desk, incident, request.POST)
    except Refused as fault:
        incident.refresh_from_db(fields=["taken_at"])
        done = refusals.of_fault(fault, act, incident, desk.now)
        ask = "close" if act == "close" else ""
        # a sheet that was not filled in stays open
        sheet = f"request:{request.POST.get('service', '')}" if act == "service" else ""
        return after_act(request, desk, incident_id, refusal=done, ask=ask, wanted=sheet)
    if isinstance(done, Refusal):
        return after_act(request, desk, incident_id, refusal=done)
    return after_act(request, desk, incident_id, wanted=done or "")


def _take(desk: Desk, incident: Incident, sent: QueryDict) -> Done:
    commands.take(desk.staff, incident.pk, desk.now)
    return None


def _take_over(desk: Desk, incident: Incident, sent: QueryDict) -> Done:
    commands.take_over(desk.staff, incident.pk, sent.get("reason", ""), desk.now)
    return None


def _release(desk: Desk, incident: Incident, sent: QueryDict) -> Done:
    commands.release(desk.staff, incident.pk, desk.now)
    return None


def _dial(desk: Desk, incident: Incident, sent: QueryDict) -> Done:
    desk_calls.dial(desk.staff, incident.pk, sent.get("step", ""), desk.now)
    return None


def _result(desk: Desk, incident: Incident, sent: QueryDict) -> Done:
    commands.call_result(
        desk.staff,
        incident.pk,
        sent.get("step", ""),
        sent.get("result", ""),
        sent.get("says", ""),
        desk.now,
    )
    return None


def _code(desk: Desk, incident: Incident, sent: QueryDict) -> Done:
    commands.check_code(
        desk.staff, incident.pk, sent.get("person", ""), sent.get("code", ""), desk.now
    )
    return None


def _service(desk: Desk, incident: Incident, sent: QueryDict) -> Done:
    """P, B, M: the call sheet first; a forbidden one is refused, and the refusal journaled.

    Taken on, it is written down who attends, or explicitly nobody (M3.1), and what they said.
    """
    service = sent.get("service", "")
    if service not in SERVICES:
        raise Refused("M3.1", "unknown service", expected=SERVICES)
    facts = incident_facts(incident, desk.now)
    refusal = procedures.request_refusal(facts, service, desk.now)
    if refusal is None and "confirm" not in sent and service not in facts.case.requested:
        return f"request:{service}"
    attends = _text(sent, "attends", 120)
    if refusal is None and not attends and service not in facts.case.requested:
        raise Refused("M3.1", "who attends, and when, or nobody")
    by_wire = sent.get("confirm") == "wire"
    commands.request_service(
        desk.staff,
        incident.pk,
        service,
        desk.now,
        attends=attends,
        eta=_text(sent, "eta", 40),
        accepted=None
        if by_wire
        else Accepted(_text(sent, "reference", 60), _text(sent, "taken_by", 80)),
    )
    if refusal is not None:
        return refusals.of_service(service, refusal.clause, refusal.reason)
    return None


def _text(sent: QueryDict, name: str, most: int) -> str:
    return sent.get(name, "").strip()[:most]


def _service_call(desk: Desk, incident: Incident, sent: QueryDict) -> Done:
    """D on the call sheet: the number of the site's zone is dialled, and written down (B1)."""
    service = sent.get("service", "")
    if service not in SERVICES:
        raise Refused("M3.1", "unknown service", expected=SERVICES)
    desk_calls.dial_service(desk.staff, incident.pk, service, desk.now)
    return f"request:{service}"


def _service_result(desk: Desk, incident: Incident, sent: QueryDict) -> Done:
    """The service did not answer, was engaged, or refused: noted; the step stays."""
    told = {
        "no_answer": _("%(number)s: no answer"),
        "busy": _("%(number)s: engaged"),
        "refused": _("%(number)s: the service refuses"),
    }
    result = told.get(sent.get("result", ""))
    if result is None:
        raise Refused("M3.1", "unknown result", expected=list(told))
    words = result % {"number": sent.get("number", "")}
    reason = sent.get("reason", "").strip()
    commands.note(desk.staff, incident.pk, f"{words}: {reason}" if reason else words, desk.now)
    return f"request:{sent.get('service', '')}"


def _patrol(desk: Desk, incident: Incident, sent: QueryDict) -> Done:
    facts = incident_facts(incident, desk.now)
    refusal = services.patrol_refusal(facts)
    if refusal is None:
        row = next(r for r in procedures.offered(facts, desk.now) if r.id == "patrol")
        if row.state == "not_allowed":
            return refusals.of_service("patrol", row.clause, row.reason)
        # over the network, so before the transaction that sends
        dispatching.ask_roads(incident.provider_id, facts.site.position)
    commands.send_patrol(desk.staff, incident.pk, desk.now)
    if refusal is not None:
        return refusals.of_service("patrol", refusal.clause, refusal.reason)
    return None


def _images(desk: Desk, incident: Incident, sent: QueryDict) -> Done:
    commands.judge_images(desk.staff, incident.pk, sent.get("found", ""), desk.now)
    return None


def _note(desk: Desk, incident: Incident, sent: QueryDict) -> Done:
    commands.note(desk.staff, incident.pk, sent.get("text", ""), desk.now)
    return None


def _hold(desk: Desk, incident: Incident, sent: QueryDict) -> Done:
    minutes = sent.get("minutes", "").strip()
    commands.hold(
        desk.staff,
        incident.pk,
        int(minutes) if minutes.isascii() and minutes.isdigit() and len(minutes) < 6 else 0,
        sent.get("reason", ""),
        desk.now,
    )
    return None


def _seen(desk: Desk, incident: Incident, sent: QueryDict) -> Done:
    commands.see_signals(desk.staff, incident.pk, desk.now)
    return None


def _supervisor(desk: Desk, incident: Incident, sent: QueryDict) -> Done:
    commands.call_supervisor(desk.staff, incident.pk, sent.get("reason", ""), desk.now)
    return None


def _override(desk: Desk, incident: Incident, sent: QueryDict) -> Done:
    called = commands.override_police(desk.staff, incident.pk, sent.get("reason", ""), desk.now)
    return None if called else refusals.of_service("police", "S15.3", "not verified")


def _close(desk: Desk, incident: Incident, sent: QueryDict) -> Done:
    commands.close(
        desk.staff,
        incident.pk,
        sent.get("outcome", ""),
        desk.now,
        attends=sent.get("attends", ""),
        waive_reason=sent.get("waive", ""),
    )
    return None


_ACTS: dict[str, Act] = {
    "take": _take,
    "take-over": _take_over,
    "release": _release,
    "dial": _dial,
    "result": _result,
    "code": _code,
    "service": _service,
    "service-call": _service_call,
    "service-result": _service_result,
    "patrol": _patrol,
    "images": _images,
    "note": _note,
    "hold": _hold,
    "seen": _seen,
    "supervisor": _supervisor,
    "override": _override,
    "close": _close,
}
