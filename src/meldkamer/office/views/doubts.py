"""Somebody made sure that an address works again: its mark is taken away."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from meldkamer.notify.mail.coming_back import clear_address
from meldkamer.office.access import Office, in_the_office


@require_POST
@in_the_office
def works_again(request: HttpRequest, office: Office, site_id: int) -> HttpResponse:
    """The address of this post, for every site of the provider that has it."""
    site = office.site(site_id)
    address = request.POST.get("address", "")[:254]
    if clear_address(site.provider_id, address, office.now, office.actor):
        messages.success(request, _("Noted: %(address)s works again.") % {"address": address})
    return redirect("office:site", site_id=site.pk)
