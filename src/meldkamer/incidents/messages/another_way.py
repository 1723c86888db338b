"""What cannot reach its reader goes another way, where the terms allow it.

The app (S8.3, S16.1): turned down for good, or taken by no carrier for too long, then the same
contact is texted, if his number may be (S7.6); where that is not allowed or not possible a person
is told. Mail to a customer, who is told in writing (S12.2, D908.1): turned down or come back, then
the same words go by post. Never both ways at once, and never round in a circle: a text and a letter
have no other way.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from meldkamer.agenda import commands as agenda
from meldkamer.agenda.models import AgendaRow
from meldkamer.incidents import notices
from meldkamer.incidents.deciding.carry_out import Docket, address_of
from meldkamer.incidents.deciding.due import lock_docket, lock_site_of
from meldkamer.incidents.deciding.facts import site_facts
from meldkamer.incidents.messages import papers
from meldkamer.incidents.models import Incident
from meldkamer.notify import commands as notify
from meldkamer.notify import outbox
from meldkamer.notify.carrier import TEST
from meldkamer.notify.models import OutboxMessage
from meldkamer.rules.acts import Text
from meldkamer.sites.models import Site

_LATE = "no carrier took it in time"


def turned_down(message: OutboxMessage, docket: Docket | None, now: datetime) -> None:
    """Its carrier rejected it for good; called with its site locked. docket: of its incident."""
    if message.template == TEST:
        return
    if message.channel == "app":
        if docket is None or not _text(message, docket):
            _tell(message, now)
    elif message.channel == "mail" and message.site_id is not None:
        _write(message, docket, now)


def _write(message: OutboxMessage, docket: Docket | None, now: datetime) -> None:
    """By post to the customer; mail to contacts and installers only tells that it came back."""
    site = Site.objects.select_related("provider", "customer").get(pk=message.site_id or 0)
    to_customer = site.customer is not None and message.address == site.customer.email
    facts = docket.site_facts if docket else site_facts(site, now)
    if not to_customer or facts.terms.mailing.instead != "letter":
        return
    letter = notify.send_another_way(message, "letter", address_of(site), now)
    docket = docket or Docket(site, facts, now)
    data = {"subject": letter.subject, "message": letter.pk, "instead_of": message.pk}
    names = papers.go_on_with(letter, message)
    docket.say("letter.sent", message.clause, to="customer", data={**data, **names})


def lock_of(row: AgendaRow) -> None:
    """The site of the message's incident, locked before the row."""
    lock_site_of(row.payload["incident"])


def overdue(row: AgendaRow, now: datetime) -> None:
    """The agenda's row: no carrier took it for so long as the terms allow."""
    message = OutboxMessage.objects.select_for_update().get(pk=row.payload["message"])
    if message.state == OutboxMessage.State.SENDING:
        # a carrier has it in hand: what comes of that is waited for
        again = now + timedelta(seconds=outbox.CLAIM_S)
        agenda.schedule(row.kind, row.subject, again, now, payload=row.payload)
        return
    if message.state not in outbox.UNSENT:
        return
    docket = lock_docket(row.payload["incident"], now)
    if not _possible(message, docket):
        _tell(message, now)  # it stays in the outbox: a carrier may come back
        return
    outbox.note_cancelled(message, _LATE, now)
    docket.say(
        "app.rejected", message.clause, _LATE, to=message.recipient, data={"message": message.pk}
    )
    docket.save()
    _text(message, docket)


def _key(message: OutboxMessage) -> str:
    return f"c{message.contact_id}"


def _possible(message: OutboxMessage, docket: Docket) -> bool:
    """The terms allow it, and he is still on the list with a number that may be texted (S7.6)."""
    contact = docket.site_facts.contact(_key(message))
    allowed = docket.site_facts.terms.app.instead == "text"
    return allowed and contact is not None and contact.textable


def _text(message: OutboxMessage, docket: Docket) -> bool:
    if not _possible(message, docket):
        return False
    docket.carry_out([Text(_key(message), "notice", message.clause)])
    return True


def _tell(message: OutboxMessage, now: datetime) -> None:
    """The app was all that was promised (S16.1): who has it on no phone is a person's to tell."""
    notices.add(
        "app",
        message.clause,
        f"{message.recipient}: {message.body}",
        now,
        site=Site.objects.filter(pk=message.site_id or 0).first(),
        provider_id=message.provider_id,
        incident=Incident.objects.filter(pk=message.incident_id or 0).first(),
    )
