"""Written instructions about what is watched: a dead line, an unknown code (S10.3, S10.5)."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from meldkamer.incidents.locking import lock_site
from meldkamer.office import uploads
from meldkamer.office.access import Office, in_the_office
from meldkamer.office.wording import fault_text
from meldkamer.sites.faults import Refused
from meldkamer.watch import commands as watch
from meldkamer.watch.models import UndefinedCode

_NOTE_MOST = 200


def _note(request: HttpRequest) -> str:
    """Who wrote what, and when; "" when nothing was typed."""
    return request.POST.get("note", "").replace("\0", "").strip()[:_NOTE_MOST]


def _back(request: HttpRequest, site_id: int, good: bool, words: str) -> HttpResponse:
    if good:
        messages.success(request, words)
    else:
        messages.error(request, words)
    return redirect("office:transmitters", site_id=site_id)


@require_POST
@in_the_office
def line_instructed(request: HttpRequest, office: Office, site_id: int) -> HttpResponse:
    """Somebody wrote about the missed tests: they are handled again (S10.3)."""
    site = office.site(site_id)
    note = _note(request)
    if not note:
        return _back(request, site.pk, False, _("Say who wrote what. Nothing was changed."))
    with transaction.atomic():
        done = watch.instructed(lock_site(site.pk), note, office.now, office.actor)
    words = _("Noted. Its line tests are handled again.") if done else _("No test was missed.")
    return _back(request, site.pk, done, words)


@require_POST
@in_the_office
def code_instructed(
    request: HttpRequest, office: Office, site_id: int, code_id: int
) -> HttpResponse:
    """Installer or customer wrote what is to be done with an unknown code (S10.5)."""
    site = office.site(site_id)
    row = get_object_or_404(UndefinedCode, pk=code_id, site=site)
    note = _note(request)
    if not note:
        return _back(request, site.pk, False, _("Say who wrote what. Nothing was changed."))
    act = watch.hold_undefined if row.handle else watch.handle_undefined
    try:
        with transaction.atomic():
            # the letter itself, where it was attached: found again under the site's documents
            uploads.keep(request.FILES.get("document"), site, office)
            act(lock_site(site.pk), row.code, office.now, note=note, actor=office.actor)
    except Refused as refused:
        return _back(request, site.pk, False, fault_text(refused.faults[0]))
    return _back(request, site.pk, True, _("Noted."))
