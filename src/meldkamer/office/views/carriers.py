"""The office's carriers: which there are, how they are, and changing them.

A secret goes in and never comes out; a hook's address is shown on the one answer that made it. A
carrier of every provider is changed by who works for every provider.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from meldkamer.notify import fault_words, going_live, health, trying_out, way_commands
from meldkamer.notify.kinds import CHANNELS, KINDS, SettingsFault
from meldkamer.notify.models import WayOut
from meldkamer.notify.trying_out import NotTried
from meldkamer.notify.web import fault_of_address
from meldkamer.office.access import Office, in_the_office
from meldkamer.office.carrier_forms import EVERY, CarrierForm
from meldkamer.office.screens import carriers as screen
from meldkamer.office.views.rendering import page

get_or_post = require_http_methods(["GET", "POST"])
#: the secret of a carrier that tells the other end where it is called
HOOK_URL = "hook_url"
#: names of the addresses that a channel's carriers call us at
HOOKS = {
    "sms": ("hook-sms", "hook-receipt"),
    "app": ("hook-app",),
    "desk": ("hook-call", "hook-incoming"),
}


@require_GET
@in_the_office
def listing(request: HttpRequest, office: Office) -> HttpResponse:
    """Every carrier by channel, in the order of asking; read again every few seconds."""
    values = {
        "channels": screen.channels(office),
        "attention": screen.attention(office),
        "boxes": screen.boxes(office),
        "area": "carriers",
    }
    part = request.headers.get("HX-Request")
    return page(
        request, office, "office/carriers_now.html" if part else "office/carriers.html", values
    )


def _row(office: Office, carrier_id: int) -> WayOut:
    row = WayOut.objects.filter(pk=carrier_id).first()
    if row is None or (row.provider_id is not None and row.provider_id not in office.provider_ids):
        raise Http404(_("There is no such carrier with your providers."))
    if not screen.may_change(office, row):
        raise PermissionDenied(
            _("A carrier of every provider is changed by who works for every provider.")
        )
    return row


@get_or_post
@in_the_office
def new(request: HttpRequest, office: Office) -> HttpResponse:
    """Choose a kind, then enter a carrier of it."""
    kind = KINDS.get(request.GET.get("kind", ""))
    if kind is None:
        values: dict[str, Any] = {"kinds": screen.kinds(), "area": "carriers"}
        return page(request, office, "office/carrier_kinds.html", values)
    owners = [(str(one.pk), one.name) for one in office.providers]
    if screen.works_for_all(office):
        owners.insert(0, (EVERY, _("every provider")))
    form = CarrierForm(kind, owners, None, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            way_commands.prove(kind.name, form.settings(), form.secrets(), None)
            row = way_commands.add(
                kind.name, form.text("name"), office.now,
                provider_id=form.provider_id(), settings_given=form.settings(),
                secrets=form.secrets(), priority=form.cleaned_data["priority"],
                two_way=form.cleaned_data.get("two_way", False),
                per_second=form.cleaned_data["per_second"],
                help_phone=form.text("help_phone"), actor=office.actor,
            )  # fmt: skip
        except SettingsFault as fault:
            form.put_fault(fault)
        else:
            messages.success(request, _("%(name)s is entered.") % {"name": row.name})
            return redirect("office:carrier", carrier_id=row.pk)
    return _form(request, office, form, None)


@get_or_post
@in_the_office
def carrier(request: HttpRequest, office: Office, carrier_id: int) -> HttpResponse:
    """One carrier: how it is, its settings, its hooks, a test."""
    row = _row(office, carrier_id)
    kind = KINDS.get(row.kind)
    if kind is None:
        return redirect("office:carriers")
    form = CarrierForm(kind, [], row, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            way_commands.prove(kind.name, form.settings(), form.secrets(), row)
            way_commands.change(
                row.pk, office.now, values={**form.common(), "settings": form.settings()},
                secrets=form.secrets(), actor=office.actor,
            )  # fmt: skip
        except SettingsFault as fault:
            form.put_fault(fault)
        else:
            messages.success(request, _("Saved. The carrier starts again with it."))
            return redirect("office:carrier", carrier_id=row.pk)
    return _form(request, office, form, row)


def _form(
    request: HttpRequest, office: Office, form: CarrierForm, row: WayOut | None, **more: Any
) -> HttpResponse:
    values = {
        "form": form,
        "forms": [form],
        "row": row,
        "kind_words": screen.words(screen.KIND_WORDS, form.kind.name),
        "state": health.state_of(row, office.now) if row else "",
        "area": "carriers",
        **(_tests(office, row) if row else {}),
        "has_hooks": form.kind.channel in HOOKS,
        **more,
    }
    if row is not None:
        values["state_words"] = screen.words(screen.STATE_WORDS, values["state"])
        values["state_icon"] = screen.STATE_ICONS[values["state"]]
    status = 422 if form.is_bound and form.errors else 200
    answer = page(request, office, "office/carrier.html", values, status=status)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _tests(office: Office, row: WayOut) -> dict[str, Any]:
    """What the page says of testing this carrier."""
    people = trying_out.contacts_with_app(row, office.providers) if row.channel == "app" else []
    return {
        "tests": screen.tests(row),
        "tested": row.channel in trying_out.CHANNELS,
        "test_field": screen.TEST_FIELDS.get(row.channel),
        "test_words": screen.TEST_WORDS.get(row.channel),
        "suggested": people,
    }


@require_POST
@in_the_office
def act(request: HttpRequest, office: Office, carrier_id: int, act: str) -> HttpResponse:
    """Switch it on or off, ask it earlier or later, make its hooks' address anew."""
    row = _row(office, carrier_id)
    if act == "hook":
        token = way_commands.new_hook_token(row.pk, office.now, office.actor)
        names = HOOKS.get(row.channel, ())
        issued = [request.build_absolute_uri(reverse(name, args=[token])) for name in names]
        _tell_itself(request, office, row, token)
        form = CarrierForm(KINDS[row.kind], [], row)
        return _form(request, office, form, row, issued=issued)
    changes: dict[str, dict[str, Any]] = {
        "on": {"enabled": True},
        "off": {"enabled": False},
        "up": {"priority": max(1, row.priority - 1)},
        "down": {"priority": min(99, row.priority + 1)},
    }
    try:
        way_commands.change(row.pk, office.now, values=changes[act], actor=office.actor)
    except SettingsFault as fault:
        messages.error(request, fault_words.said(str(fault)))
    return redirect("office:carriers")


def _tell_itself(request: HttpRequest, office: Office, row: WayOut, token: str) -> None:
    """A carrier that tells the other end with each message where it is called, knows it now.

    Where it may not be told, the old one is void all the same and its receipts are missed; so
    whoever made a new one is told to enter it.
    """
    if HOOK_URL not in KINDS[row.kind].secrets:
        return
    there = reverse("hook-receipt", args=[token]).removesuffix("receipt/")
    address = request.build_absolute_uri(there)
    if fault_of_address(address) and not row.settings.get("plain_http"):
        said = _("Enter the address under %(name)s as well: from here it would not be https.")
        messages.warning(request, said % {"name": HOOK_URL})
        return
    way_commands.change(row.pk, office.now, secrets={HOOK_URL: address}, actor=office.actor)


@require_POST
@in_the_office
def test(request: HttpRequest, office: Office, carrier_id: int) -> HttpResponse:
    """A message over this very carrier, which says that it is a test."""
    row = _row(office, carrier_id)
    try:
        to = trying_out.reached(row, office.providers, request.POST.get("address", ""))
        trying_out.send(row, to, office.staff.language, office.now)
    except NotTried as fault:
        messages.error(request, screen.not_tried(fault))
    else:
        messages.success(request, _("The test is on its way to %(who)s.") % {"who": to.recipient})
    return redirect("office:carrier", carrier_id=row.pk)


@require_POST
@in_the_office
def sandbox(request: HttpRequest, office: Office) -> HttpResponse:
    """Put a channel of a provider into the sandbox, or take it out."""
    provider = next(
        (one for one in office.providers if str(one.pk) == request.POST.get("provider", "")), None
    )
    channel = request.POST.get("channel", "")
    if provider is None or channel not in CHANNELS:
        raise Http404
    inside = request.POST.get("put") == "in"
    try:
        going_live.put_in_sandbox(provider.pk, channel, inside, office.now, office.actor)
    except SettingsFault as fault:
        messages.error(request, fault_words.said(str(fault)))
    return redirect("office:carriers")


@require_POST
@in_the_office
def practice(request: HttpRequest, office: Office) -> HttpResponse:
    """A whole provider goes live, or practises: a supervisor's act, with its name typed."""
    if not office.staff.is_supervisor:
        raise PermissionDenied(_("This is for supervisors."))
    provider = next(
        (one for one in office.providers if str(one.pk) == request.POST.get("provider", "")), None
    )
    if provider is None:
        raise Http404
    live = request.POST.get("put") == "live"
    if request.POST.get("name", "").strip().casefold() != provider.name.casefold():
        messages.error(
            request, _("Nothing was changed. Type the name: %(name)s.") % {"name": provider.name}
        )
    elif live and settings.MELDKAMER_DEMO:
        messages.error(request, _("The demo never goes live: its people are invented."))
    else:
        try:
            cancelled = going_live.set_practice(provider.pk, not live, office.now, office.actor)
        except SettingsFault as fault:
            messages.error(request, fault_words.said(str(fault)))
        else:
            messages.success(request, _turned(provider.name, live, cancelled))
    return redirect("office:carriers")


def _turned(name: str, live: bool, cancelled: int) -> str:
    """What is so from now on, and what became of what was made in practice."""
    if not live:
        return _("From now on nothing of %(name)s leaves the house.") % {"name": name}
    words = _("From now on messages of %(name)s really leave the house.") % {"name": name}
    if not cancelled:
        return words
    made = ngettext(
        "%(count)s message made in practice was cancelled.",
        "%(count)s messages made in practice were cancelled.",
        cancelled,
    ) % {"count": cancelled}
    return f"{words} {made}"
