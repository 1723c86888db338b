"""Procedures of a provider and of a site: which hold, drafts, the check, the release (S14.1).

A draft is changed on one page, with its checks and what happens when beside it. Moving and adding
steps changes the page alone; saving stores; a second person releases.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from meldkamer.office import procedure_wording as wording
from meldkamer.office.access import Office, in_the_office
from meldkamer.office.procedure_forms import ProcedureForm
from meldkamer.office.screens import procedures as screen
from meldkamer.office.views.rendering import page
from meldkamer.office.wording import fault_text
from meldkamer.rules.differences import differences
from meldkamer.sites import procedure_checks, procedure_commands, procedure_queries
from meldkamer.sites.faults import Refused
from meldkamer.sites.models import ProcedureVersion, Provider, Site
from meldkamer.terms import procedures
from meldkamer.terms.loader import load
from meldkamer.terms.model import Procedure


@require_GET
@in_the_office
def of_provider(request: HttpRequest, office: Office) -> HttpResponse:
    """The procedures of a provider, and the drafts that wait for a second person."""
    provider = office.provider(request.GET.get("provider", ""))
    waiting = screen.version_rows(procedure_queries.to_release(office.provider_ids), office.now)
    values = {
        "provider": provider,
        "holding": screen.holding(provider, None, office.now),
        "alone": screen.alone(provider),
        "waiting": waiting,
        "frame": "office/house_record.html",
    }
    return page(request, office, "office/procedures.html", values)


@require_GET
@in_the_office
def of_site(request: HttpRequest, office: Office, site_id: int) -> HttpResponse:
    """The procedures of a site: its own, its provider's, the terms file's."""
    site = office.site(site_id)
    values = {
        "tab": "procedures",
        "provider": site.provider,
        "holding": screen.holding(site.provider, site, office.now),
        "alone": screen.alone(site.provider),
        "frame": "office/record.html",
    }
    return page(request, office, "office/procedures.html", values, site=site)


@require_POST
@in_the_office
def begin(request: HttpRequest, office: Office, site_id: int | None = None) -> HttpResponse:
    """A draft out of what holds now."""
    site = office.site(site_id) if site_id is not None else None
    provider = site.provider if site else office.provider(request.POST.get("provider", ""))
    name = request.POST.get("name", "")
    terms = load(provider.terms)
    base = procedures.base_of(terms, name)
    if base is None:
        raise Http404(_("The terms have no such procedure."))
    now = procedure_queries.terms_at(
        terms, provider.pk, site.pk if site else None, office.now
    ).procedure(base.types[0])
    written = {"steps": [_as_row(step) for step in now.steps], "exhausted": now.exhausted}
    row = procedure_commands.draft(
        provider, site, procedures.read(terms, name, written), office.now, office.actor
    )
    return redirect("office:procedure", version_id=row.pk)


def _as_row(step: Any) -> dict[str, Any]:
    row: dict[str, Any] = msgspec.to_builtins(step)
    return row


def _version(office: Office, version_id: int) -> ProcedureVersion:
    found = procedure_queries.version_for(version_id, office.provider_ids)
    if found is None:
        raise Http404(_("There is no such procedure with your providers."))
    return found


@require_http_methods(["GET", "POST"])
@in_the_office
def version(request: HttpRequest, office: Office, version_id: int) -> HttpResponse:
    """One version: a draft is changed here, a released one is read."""
    row = _version(office, version_id)
    procedure = procedure_queries.procedure_of(row)
    if row.state != "draft":
        return _shown(request, office, row, procedure, None)
    if request.method == "GET":
        return _shown(request, office, row, procedure, _form(row, procedure))
    form = ProcedureForm(procedure, row.site, request.POST)
    act = request.POST.get("act", "save")
    if act != "save":
        form.act(act)
        return _shown(request, office, row, procedure, form)
    changed, faults = _read(row, form)
    if changed is None:
        return _shown(request, office, row, procedure, form, faults=faults, status=422)
    try:
        procedure_commands.change(row, changed, office.now, office.actor, **form.period.period())
    except Refused as refused:
        faults = [fault_text(fault) for fault in refused.faults]
        return _shown(request, office, row, procedure, form, faults=faults, status=422)
    messages.success(request, _("Saved as a draft. A second person releases it."))
    return redirect("office:procedure", version_id=row.pk)


def _form(row: ProcedureVersion, procedure: Procedure) -> ProcedureForm:
    period = {"reason": row.reason, "starts_at": row.starts_at, "ends_at": row.ends_at}
    return ProcedureForm(procedure, row.site, initial=period)


def _read(row: ProcedureVersion, form: ProcedureForm) -> tuple[Procedure | None, list[str]]:
    """What was typed as a procedure; None with what is wrong."""
    if not form.is_valid():
        return None, []
    try:
        return procedures.read(load(row.provider.terms), row.name, form.written()), []
    except procedures.ProcedureFault as fault:
        return None, [str(wording.FAULTS["shape"]) % {"found": fault}]


@require_POST
@in_the_office
def preview(request: HttpRequest, office: Office, version_id: int) -> HttpResponse:
    """Checks and courses of what is typed, while it is typed; nothing is stored."""
    row = _version(office, version_id)
    form = ProcedureForm(procedure_queries.procedure_of(row), row.site, request.POST)
    form.period.fields["reason"].required = False
    changed, faults = _read(row, form)
    values = {"faults": faults, "incomplete": changed is None}
    if changed is not None:
        values |= _preview(row, changed, office)
    return render(request, "office/procedure_preview.html", values)


def _preview(row: ProcedureVersion, procedure: Procedure, office: Office) -> dict[str, Any]:
    found = procedure_checks.findings(procedure, row.provider, row.site, office.now)
    before = procedure_commands.before_it(row, office.now)
    return {
        "found": screen.checks(found, procedure),
        "blocked": any(finding.refused for finding in found),
        "steps": screen.steps(procedure),
        "beforehand": screen.beforehand(procedure, row.provider, row.site),
        "scenarios": screen.scenarios(procedure, row.provider, row.site, office.now),
        "differences": [
            wording.difference_in_words(one)
            for one in (differences(before, procedure) if before else ())
        ],
    }


def _shown(
    request: HttpRequest,
    office: Office,
    row: ProcedureVersion,
    procedure: Procedure,
    form: ProcedureForm | None,
    *,
    faults: list[str] | None = None,
    status: int = 200,
) -> HttpResponse:
    typed = procedure
    if form is not None and form.sent is not None:
        bound = ProcedureForm(procedure, row.site, form.typed())
        bound.period.fields["reason"].required = False
        typed = _read(row, bound)[0] or procedure
    listed = screen.version_rows([row], office.now)[0]
    values = {
        "tab": "procedures",
        "provider": row.provider,
        "version": listed,
        "editing": form,
        "forms": form.forms if form else (),
        "faults": faults or [],
        "add": wording.ADD,
        "title": _("%(name)s, version %(n)s") % {"name": listed.name, "n": row.number},
        "own": office.actor in row.authors,
        "types": procedure.types,
        "frame": "office/record.html" if row.site else "office/house_record.html",
        **_preview(row, typed, office),
    }
    return page(request, office, "office/procedure.html", values, site=row.site, status=status)


@require_POST
@in_the_office
def release(request: HttpRequest, office: Office, version_id: int) -> HttpResponse:
    """A second person releases a draft; each warning is ticked (M12.3)."""
    row = _version(office, version_id)
    ticked = request.POST.getlist("ticked")
    return _act(
        request, row,
        lambda: procedure_commands.release(row, office.now, office.actor, ticked=ticked),
        _("Released. It holds from its start; running incidents keep what they were opened with."),
    )  # fmt: skip


@require_POST
@in_the_office
def withdraw(request: HttpRequest, office: Office, version_id: int) -> HttpResponse:
    """A released version holds no more from now on."""
    row = _version(office, version_id)
    reason = request.POST.get("reason", "")
    return _act(
        request, row,
        lambda: procedure_commands.withdraw(row, office.now, office.actor, reason),
        _("Withdrawn. What came before it holds again."),
    )  # fmt: skip


@require_POST
@in_the_office
def discard(request: HttpRequest, office: Office, version_id: int) -> HttpResponse:
    """A draft that nobody wants any more."""
    row = _version(office, version_id)
    try:
        procedure_commands.discard(row, office.now, office.actor)
    except Refused as refused:
        return _refused(request, row, refused)
    messages.success(request, _("The draft is discarded."))
    return _to_list(row.site, row.provider)


def _act(
    request: HttpRequest, row: ProcedureVersion, command: Callable[[], object], done: str
) -> HttpResponse:
    try:
        command()
    except Refused as refused:
        return _refused(request, row, refused)
    messages.success(request, done)
    return redirect("office:procedure", version_id=row.pk)


def _refused(request: HttpRequest, row: ProcedureVersion, refused: Refused) -> HttpResponse:
    for fault in refused.faults:
        messages.error(request, fault_text(fault))
    return redirect("office:procedure", version_id=row.pk)


def _to_list(site: Site | None, provider: Provider) -> HttpResponse:
    if site is not None:
        return redirect("office:site_procedures", site_id=site.pk)
    answer = redirect("office:procedures")
    answer.headers["Location"] += f"?provider={provider.slug}"
    return answer
