"""Changing zones and the call list, and issuing codes: one form each, then back to the list."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from meldkamer.notify.push import commands as push
from meldkamer.office import app_links
from meldkamer.office.access import Office, in_the_office
from meldkamer.office.forms import ContactForm, ZoneForm
from meldkamer.office.screens.site import number_remarks
from meldkamer.office.views.changes import form_page, get_or_post, say_saved
from meldkamer.office.views.sites import contacts_page
from meldkamer.office.wording import fault_text
from meldkamer.people.issuing import MANY_CODES, issue_code, too_many_codes
from meldkamer.sites import sheet_commands
from meldkamer.sites.faults import Refused
from meldkamer.sites.models import Contact, Site, Zone


@get_or_post
@in_the_office
def zone(
    request: HttpRequest, office: Office, site_id: int, zone_id: int | None = None
) -> HttpResponse:
    """Add a zone, or change one. After adding, the form comes again for the next."""
    row = office.site(site_id)
    known = get_object_or_404(Zone, pk=zone_id, site=row) if zone_id is not None else None
    sent = request.POST if request.method == "POST" else None
    form = ZoneForm(sent, initial=ZoneForm.initial_of(known) if known else {})
    if sent is not None and form.is_valid():
        done = form.take(
            lambda: sheet_commands.put_zone(row, form.draft(), office.now, office.actor, known)
        )
        if done is not None:
            messages.success(request, _("Zone %(zone)s saved.") % {"zone": done})
            again = "office:new_zone" if "again" in request.POST else "office:zones"
            return redirect(again, site_id=row.pk)
    title = _("Change zone %(zone)s") % {"zone": known} if known else _("New zone")
    return form_page(request, office, form, title, row, "zones", again=known is None)


@require_POST
@in_the_office
def remove_zone(request: HttpRequest, office: Office, site_id: int, zone_id: int) -> HttpResponse:
    """The zone is no more."""
    row = office.site(site_id)
    sheet_commands.remove_zone(
        get_object_or_404(Zone, pk=zone_id, site=row), office.now, office.actor
    )
    messages.success(request, _("Removed. Its signals stay."))
    return redirect("office:zones", site_id=row.pk)


@get_or_post
@in_the_office
def contact(
    request: HttpRequest, office: Office, site_id: int, contact_id: int | None = None
) -> HttpResponse:
    """Add a contact, or change one."""
    row = office.site(site_id)
    known = get_object_or_404(Contact, pk=contact_id, site=row) if contact_id is not None else None
    sent = request.POST if request.method == "POST" else None
    initial = ContactForm.initial_of(known) if known else {"language": row.language}
    form = ContactForm(sent, initial=initial)
    if sent is not None and form.is_valid():
        done = form.take(lambda: _store_contact(row, known, form, office))
        if done is not None:
            say_saved(request, done)
            _say_of_number(request, row, form.text("name"))
            again = "office:new_contact" if "again" in request.POST else "office:contacts"
            return redirect(again, site_id=row.pk)
    title = _("Change %(name)s") % {"name": known.name} if known else _("New contact")
    return form_page(request, office, form, title, row, "contacts", again=known is None)


def _say_of_number(request: HttpRequest, site: Site, name: str) -> None:
    """At once, where it was typed: a number that is refused for texts, or that costs more."""
    for number, remarks in number_remarks(site):
        for remark in remarks if number.position and number.who == name.strip() else ():
            messages.warning(request, f"{name}: {remark.words} ({remark.clause})")


def _store_contact(site: Site, known: Contact | None, form: ContactForm, office: Office) -> bool:
    if known is None:
        sheet_commands.add_contact(site, form.draft(), office.now, office.actor)
        return True
    return sheet_commands.change_contact(known, form.draft(), office.now, office.actor)


@require_POST
@in_the_office
def contact_act(
    request: HttpRequest, office: Office, site_id: int, contact_id: int, act: str
) -> HttpResponse:
    """Up or down the list, off it, or a new code: shown once, on this very answer."""
    row = office.site(site_id)
    person = get_object_or_404(Contact, pk=contact_id, site=row)
    if act in ("app", "no_app"):
        return _app(request, office, person, give=act == "app")
    if act in ("code", "duress"):
        code = issue_code(person, office.now, office.actor, duress=act == "duress")
        if too_many_codes(row.provider_id):
            warning = _("%(n)s codes or more are live here: void those not needed (S18.1).")
            messages.warning(request, warning % {"n": MANY_CODES})
        return contacts_page(
            request, office, row.pk,
            issued=f"{code[:3]} {code[3:]}", issued_to=person, issued_duress=act == "duress",
        )  # fmt: skip
    if act == "remove":
        try:
            sheet_commands.remove_contact(person, office.now, office.actor)
        except Refused as refused:
            for fault in refused.faults:
                messages.error(request, fault_text(fault))
    else:
        sheet_commands.move_contact(person, -1 if act == "up" else 1, office.now, office.actor)
    return redirect("office:contacts", site_id=row.pk)


def _app(request: HttpRequest, office: Office, person: Contact, *, give: bool) -> HttpResponse:
    """A link that lets his phone into the app, or no phone of his any more (S8.3)."""
    if not give:
        push.take_back_links(person, office.now, office.actor)
        messages.success(request, _("No phone of %(name)s has the app.") % {"name": person.name})
    else:
        try:
            sent = app_links.send_link(person, request, office.now, office.actor)
        except app_links.NoWay:
            messages.error(request, _("Give a telephone number or an e-mail address."))
        else:
            said = _("A link to the app went to %(address)s. It works once, for %(days)s days.")
            values = {"address": sent.address, "days": push.GOOD_FOR.days}
            messages.success(request, said % values)
    return redirect("office:contacts", site_id=person.site_id)
