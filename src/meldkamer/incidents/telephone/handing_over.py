"""What a service was told, and by which way: its acceptance, and the electronic hand-over (B1).

A message goes out by wire only with the request that the rules allowed, so never without its
verification on record. It goes beside the call; the terms alone may say instead of it. A false
alarm takes it back, who attends changes it: each is a message of its own that names the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import override

from meldkamer.incidents.deciding.carry_out import Docket
from meldkamer.incidents.telephone import service_sheet
from meldkamer.incidents.telephone.service_sheet import ServiceSheet
from meldkamer.notify.authority import cap
from meldkamer.notify.authority import commands as authority
from meldkamer.notify.kinds import SANDBOX
from meldkamer.notify.models import WayOut
from meldkamer.people.models import Staff
from meldkamer.rules.facts import IncidentFacts, Past
from meldkamer.sites import service_numbers

HANDED_OVER = "service.handed_over"
_CATEGORIES = {"fire": "Fire", "medical": "Health"}
_SEVERE = ("holdup", "fire", "medical")
_SENT = {"police": "police.requested", "fire": "fire.requested", "medical": "medical.requested"}


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the service said when it took it on. reference: its own number of the matter."""

    reference: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class _Attends:
    """Who will be on site, and when; "" where nobody said."""

    who: str = ""
    eta: str = ""


def tell_service(
    docket: Docket, service: str, accepted: Accepted | None, attends: str, eta: str
) -> None:
    """A service was asked for: write down what it said, and hand over what goes by wire."""
    if accepted is not None:
        data = {"reference": accepted.reference, "by": accepted.by}
        docket.say("service.accepted", "B1", to=service, data=data)
    _send(docket, service, "Alert", _Attends(attends, eta))


def attendance_changed(docket: Docket, attends: str) -> None:
    """Who attends is known now, or is another: whoever was told by wire is told that."""
    for service in _told(docket.facts().history):
        _send(docket, service, "Update", _Attends(attends))


def take_back(docket: Docket) -> None:
    """The alarm was a false one: whoever was told by wire is told that."""
    for service in _told(docket.facts().history):
        _send(docket, service, "Cancel", _Attends())


def _told(history: tuple[Past, ...]) -> list[str]:
    """The services that were told by wire and not yet that it was nothing."""
    last = {past.to: past.data.get("message_type") for past in history if past.what == HANDED_OVER}
    return [service for service, message in last.items() if message != "Cancel"]


def _send(docket: Docket, service: str, message: cap.Message, attends: _Attends) -> None:
    site, facts = docket.site, docket.facts()
    today = docket.now.astimezone(facts.site.timezone).date()
    dialled = service_numbers.number_for(site, service, today)
    way = authority.way_for(site.provider_id, service, dialled.zone or site.police_zone)
    if way is None or (message == "Alert" and not _evidence(facts, service)):
        return
    facts = service_sheet.with_signals(facts, docket.opened)
    sheet = service_sheet.build(facts, site, dialled, _operator(docket), docket.now)
    earlier = [p for p in facts.history if p.what == HANDED_OVER and p.to == service]
    sender = str(way.settings.get("sender") or f"meldkamer-{site.provider.slug}")
    number = f"meldkamer-{docket.opened.pk}-{service}-{len(earlier) + 1}"
    with override(dialled.language):
        alert = _alert(
            docket, sheet, message, attends, way, sender, number, _references(earlier, docket)
        )
    if message == "Alert" and not sheet.verification.method:
        _not_sent(docket, service, "not verified")
        return
    try:
        body = cap.write(alert)
    except cap.CapFault as fault:
        # whatever is wrong with a message, the request itself stands: they are called
        _not_sent(docket, service, str(fault))
        return
    where = docket.opened
    outbox = authority.put(
        way,
        body,
        alert.headline,
        service=service,
        language=dialled.language,
        provider_id=site.provider_id,
        site_id=site.pk,
        incident_id=where.pk,
        now=docket.now,
    )
    data = {
        "message": outbox,
        "message_type": message,
        "identifier": number,
        "sender": sender,
        "sent": docket.now.isoformat(),
        "status": alert.status,
    }
    docket.say(HANDED_OVER, "B1", to=service, data=data)


def _not_sent(docket: Docket, service: str, reason: str) -> None:
    docket.say("authority.rejected", "B1", reason, to=service)


def _evidence(facts: IncidentFacts, service: str) -> Mapping[str, Any]:
    """What the request that was just allowed says of the verification; none: nothing goes out."""
    asked = [past for past in facts.history if past.what == _SENT[service]]
    return asked[-1].data if asked and asked[-1].data.get("rule") == "B1" else {}


def _operator(docket: Docket) -> Staff | None:
    kind, _sep, number = docket.actor.partition(":")
    return Staff.objects.filter(pk=int(number)).first() if kind == "staff" else None


def _references(earlier: list[Past], docket: Docket) -> tuple[cap.Reference, ...]:
    zone = docket.site_facts.timezone
    return tuple(
        cap.Reference(
            str(past.data["sender"]),
            str(past.data["identifier"]),
            datetime.fromisoformat(str(past.data["sent"])).astimezone(zone),
        )
        for past in earlier
    )


def _status(docket: Docket, way: WayOut) -> cap.Status:
    """In practice everything is an exercise; else what was agreed with the other side."""
    if docket.site.provider.practice or way.kind == SANDBOX:
        return "Exercise"
    found = way.settings.get("status", "Actual")
    return found if found in ("Exercise", "Test") else "Actual"


def _alert(
    docket: Docket,
    sheet: ServiceSheet,
    message: cap.Message,
    attends: _Attends,
    way: WayOut,
    sender: str,
    number: str,
    references: tuple[cap.Reference, ...],
) -> cap.Alert:
    incident = docket.opened
    certain = incident.verified_by in ("camera", "person")
    likely = bool(incident.verified_by) or docket.facts().case.duress
    headline = _("%(event)s: %(place)s") % {"event": sheet.event, "place": sheet.place}
    if message == "Cancel":
        headline = _("False alarm: %(place)s") % {"place": sheet.place}
    return cap.Alert(
        identifier=number,
        sender=cap.identifier(sender),
        sent=docket.now.astimezone(docket.site_facts.timezone),
        status=_status(docket, way),
        message=message,
        recipients=(str(way.settings.get("recipient") or "authority"),),
        language=f"{sheet.dialled.language}-BE",
        categories=(_CATEGORIES.get(incident.type, "Security"),),
        event=sheet.event,
        urgency="Past" if message == "Cancel" else "Immediate",
        severity="Severe" if incident.type in _SEVERE else "Moderate",
        certainty="Observed" if certain else "Likely" if likely else "Possible",
        sender_name=sheet.we,
        headline=headline,
        description="\n".join(sheet.what),
        instruction="" if message == "Cancel" else _instruction(attends),
        contact=", ".join(part for part in (sheet.we, sheet.operator, sheet.our_phone) if part),
        parameters=tuple(_parameters(sheet, attends, message)),
        place=cap.Place(
            ", ".join(part for part in (sheet.place, sheet.address) if part),
            sheet.position,
            (("postal-code", docket.site.postal_code),),
        ),
        incident=cap.identifier(f"meldkamer-{incident.pk}"),
        references=references,
    )


def _instruction(attends: _Attends) -> str:
    who = ", ".join(part for part in (attends.who, attends.eta) if part)
    return _("On site: %(who)s") % {"who": who} if who else ""


def _parameters(
    sheet: ServiceSheet, attends: _Attends, message: cap.Message
) -> list[tuple[str, str]]:
    """Names stay English for machines; values are in the language of the message."""
    if message == "Cancel":
        return []
    checked = sheet.verification
    coming = next((a for a in sheet.attendants if a.name and a.name in attends.who), None)
    return [
        ("verification.method", checked.method),
        ("verification.elements", "; ".join(checked.elements)),
        ("verification.at", cap.moment(checked.at) if checked.at else ""),
        ("consulted", "; ".join(sheet.consulted)),
        ("user", sheet.user),
        ("building", sheet.building),
        ("risk", sheet.risk),
        ("attends.who", attends.who),
        ("attends.phone", coming.phone if coming else ""),
        ("attends.eta", attends.eta),
        ("access", sheet.access),
        ("keys", sheet.keys),
        ("dangers", sheet.dangers),
        ("people", sheet.people),
        ("premises.phone", sheet.premises_phone),
        ("zone", sheet.zone),
    ]
