"""What came back of a site's mail: read as a download; an address that works again."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from meldkamer.notify.mail.coming_back import clear_address
from meldkamer.notify.mail.models import IncomingMail
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


@require_GET
@in_the_office
def report(request: HttpRequest, office: Office, site_id: int, mail_id: int) -> HttpResponse:
    """A mail that came back, as it came; a download, for it may hold anything."""
    site = office.site(site_id)
    row = IncomingMail.objects.filter(pk=mail_id, message__provider_id=site.provider_id).first()
    if row is None:
        raise Http404(_("There is no such mail with your providers."))
    answer = HttpResponse(bytes(row.content), content_type="application/octet-stream")
    answer.headers["Content-Disposition"] = f'attachment; filename="came-back-{row.pk}.eml"'
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer
