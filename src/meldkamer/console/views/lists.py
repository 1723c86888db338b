"""The lists beside the queue: notices, sites in test, in trial, interrupted, signals held back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from meldkamer.console import wording
from meldkamer.console.access import Desk, at_the_desk, supervisors_only
from meldkamer.console.screens import refusals, service
from meldkamer.console.screens.refusals import Refusal
from meldkamer.console.timing import clock_or_day, day_and_time
from meldkamer.console.views.rendering import middle, zone_of
from meldkamer.contracts.tasks import SUPERVISOR, ready
from meldkamer.incidents import commands, queries
from meldkamer.incidents.faults import Refused
from meldkamer.incidents.models import Notice
from meldkamer.watch.queries import not_supervised

NAMES = {
    "notices": gettext_lazy("For the supervisor"),
    "tests": gettext_lazy("In test"),
    "trials": gettext_lazy("In trial"),
    "held": gettext_lazy("Signals held back, last 24 hours"),
    "system": gettext_lazy("With the system"),
    "tasks": gettext_lazy("To do"),
    "interrupted": gettext_lazy("Suspended or interrupted"),
    "unsupervised": gettext_lazy("Line not supervised"),
    "outages": gettext_lazy("General outages"),
    "patrols": gettext_lazy("Patrols"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a list: when, what, where, why; `notice` when it can be marked as seen."""

    when: str
    what: str
    where: str
    more: str
    clause: str
    notice: int | None = None
    incident: int | None = None
    grave: bool = False
    task: int | None = None
    test: int | None = None


@require_GET
@never_cache
@at_the_desk
def listing(request: HttpRequest, desk: Desk, name: str) -> HttpResponse:
    """One list in the middle of the desk."""
    return _show(request, desk, name)


@require_POST
@at_the_desk
@supervisors_only
def seen(request: HttpRequest, desk: Desk, notice_id: int) -> HttpResponse:
    """A supervisor takes care of a notice."""
    try:
        commands.see_notice(desk.staff, notice_id, desk.now)
    except Notice.DoesNotExist:
        raise Http404 from None
    except Refused as fault:
        refusal = refusals.of_fault(fault, "", None, desk.now)
        return _show(request, desk, "notices", refusal)
    return _show(request, desk, "notices")


def _show(
    request: HttpRequest, desk: Desk, name: str, refusal: Refusal | None = None
) -> HttpResponse:
    if name not in NAMES:
        raise Http404
    rows = _ROWS[name](desk, zone_of(desk))
    return middle(
        request,
        desk,
        "console/list.html",
        {
            "name": name,
            "title": NAMES[name],
            "names": list(NAMES.items()),
            "rows": rows,
            "refusal": refusal,
        },
    )


def _notices(desk: Desk, zone: ZoneInfo) -> list[Row]:
    return [
        Row(
            clock_or_day(row.at, desk.now, zone),
            wording.word(wording.NOTICE_KINDS, row.kind),
            row.site.name if row.site else "",
            wording.reason(row.text),
            row.clause,
            notice=row.pk,
            incident=row.incident_id,
        )
        for row in queries.notices(desk.provider_ids)
    ]


def _tests(desk: Desk, zone: ZoneInfo) -> list[Row]:
    rows = []
    for test in queries.running_tests(desk.provider_ids, desk.now):
        asked = _("asked by %(who)s") % {"who": test.asked_by}
        until = _("until %(until)s") % {"until": _moment(test.until, desk.now, zone)}
        what = service.scope(test)
        rows.append(Row(until, what, test.site.name, asked, "S20.1", test=test.pk))
    for test in queries.ended_tests(desk.provider_ids, desk.now):
        ended = _("ended %(when)s") % {"when": _moment(test.ended_at or desk.now, desk.now, zone)}
        summary = service.summary(test)
        rows.append(Row(ended, service.scope(test), test.site.name, summary, "S20.1", test=test.pk))
    return rows


def _tasks(desk: Desk, zone: ZoneInfo) -> list[Row]:
    """What operators have to do beside the incidents."""
    return [
        Row(
            _("due %(when)s") % {"when": _moment(task.due or desk.now, desk.now, zone)},
            wording.word(wording.TASKS, task.kind),
            task.site.name,
            wording.word(wording.TASK_OWNERS, str(task.owner)),
            task.clause,
            task=task.pk,
            grave=task.owner == SUPERVISOR,
        )
        for task in ready(desk.provider_ids, desk.now)
    ]


def _interrupted(desk: Desk, zone: ZoneInfo) -> list[Row]:
    """Whose signals are kept and not handled, by cause (D908.1, S12.2, D908.3)."""
    rows = []
    for row in queries.interrupted(desk.provider_ids):
        more = [*service.types(row.types), row.reason]
        if row.review_at is not None:
            day = day_and_time(row.review_at, zone)
            more.append(_("looked at again %(when)s") % {"when": day})
        if row.transmitter is not None:
            more.append(row.transmitter.account)
        more += [f"{one['code']} ×{one['count']}" for one in service.codes(row.evidence)]
        rows.append(
            Row(
                _("since %(when)s") % {"when": day_and_time(row.started_at, zone)},
                str(row.get_kind_display()),
                row.site.name,
                ", ".join(part for part in more if part),
                row.clause,
                incident=row.incident_id,
            )
        )
    return rows


def _trials(desk: Desk, zone: ZoneInfo) -> list[Row]:
    return [
        Row(
            _("since %(when)s") % {"when": day_and_time(site.activated_at, zone)},
            _("trial"),
            site.name,
            _("no police, no fire brigade"),
            "S4.3",
        )
        for site in queries.trial_sites(desk.provider_ids, desk.now)
        if site.activated_at
    ]


def _held(desk: Desk, zone: ZoneInfo) -> list[Row]:
    entries = queries.held_signals(desk.provider_ids, desk.now)
    names = queries.site_names({entry.site_id for entry in entries if entry.site_id})
    return [
        Row(
            clock_or_day(entry.at, desk.now, zone),
            str(entry.data.get("code", "")) or wording.word(wording.TYPES, entry.type),
            names.get(entry.site_id or 0, ""),
            wording.reason(entry.reason),
            entry.clause,
        )
        for entry in entries
    ]


def _system(desk: Desk, zone: ZoneInfo) -> list[Row]:
    rows = []
    for incident in queries.with_the_system(desk.provider_ids):
        waits = wording.word(wording.WAITS, incident.wait_for) if incident.wait_for else ""
        rows.append(
            Row(
                _("due %(when)s") % {"when": _moment(incident.due or desk.now, desk.now, zone)},
                wording.word(wording.TYPES, incident.type),
                incident.site.name,
                waits or _("texts are out"),
                "",
                incident=incident.pk,
            )
        )
    return rows


def _unsupervised(desk: Desk, zone: ZoneInfo) -> list[Row]:
    """Red until a test comes or somebody writes: nobody would notice that this line is dead."""
    rows = []
    for watch in not_supervised(desk.provider_ids):
        last = _("no test yet")
        if watch.last_test_at is not None:
            last = _("last test %(at)s") % {"at": _moment(watch.last_test_at, desk.now, zone)}
        told = watch.site.installer.name if watch.site.installer else _("no installer")
        since = watch.unsupervised_since or desk.now
        rows.append(
            Row(
                _("since %(when)s") % {"when": _moment(since, desk.now, zone)},
                _("%(count)s tests missed") % {"count": watch.missed},
                watch.site.name,
                f"{watch.transmitter.account}, {last}, {told}",
                "S10.3",
                grave=True,
            )
        )
    return rows


def _moment(moment: datetime, now: datetime, zone: ZoneInfo) -> str:
    return clock_or_day(moment, now, zone)


_ROWS: dict[str, Callable[[Desk, ZoneInfo], list[Row]]] = {
    "notices": _notices,
    "tests": _tests,
    "trials": _trials,
    "held": _held,
    "system": _system,
    "tasks": _tasks,
    "interrupted": _interrupted,
    "unsupervised": _unsupervised,
}
