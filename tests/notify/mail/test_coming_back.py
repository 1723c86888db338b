"""A mail that came back is kept once, told where it belongs, and its address is marked."""

from __future__ import annotations

import pytest

from meldkamer.engine import cycle
from meldkamer.engine.sending import House
from meldkamer.incidents.models import Incident
from meldkamer.journal.models import Entry
from meldkamer.notify import commands as notify
from meldkamer.notify import outbox, way_commands, ways
from meldkamer.notify.carrier import Rejected
from meldkamer.notify.ears import StoringEars
from meldkamer.notify.kinds import build
from meldkamer.notify.mail import coming_back
from meldkamer.notify.mail.composing import message_ref
from meldkamer.notify.mail.models import BouncedAddress, IncomingMail
from meldkamer.notify.mail.queries import came_back, in_doubt
from meldkamer.notify.mail.verp import message_of
from meldkamer.notify.models import OutboxMessage, Receipt, WayOut
from meldkamer.notify.outbox import note_rejected
from tests.incidents.town import Town, at, told
from tests.notify.mail import reports
from tests.notify.mail.peer import Peer

ADDRESS = "An@Peeters.example"


@pytest.fixture
def incident(town: Town) -> Incident:
    return town.incident("intrusion")


def sent(town: Town, incident: Incident | None = None, **more: object) -> OutboxMessage:
    """A mail that a carrier took."""
    way, _ = WayOut.objects.get_or_create(channel="mail", kind="smtp", name="post", state="up")
    message = notify.send(
        "mail",
        "nobody_reached",
        address=ADDRESS,
        recipient="An Peeters",
        language="nl",
        clause="M3.2",
        now=at(0),
        facts={"provider": "Securitas", "site": "Bakkerij", "type": "intrusion", "zone": ""},
        provider_id=town.provider.pk,
        site_id=town.site.pk,
        incident_id=incident.pk if incident else None,
    )
    values = {"state": "handed_over", "carrier": way, "carrier_ref": message_ref(message.pk)}
    OutboxMessage.objects.filter(pk=message.pk).update(**values | more)
    message.refresh_from_db()
    return message


@pytest.mark.clause("M3.2", "M12.3")
def test_a_mail_of_an_incident_that_came_back_is_in_its_course_with_the_clause(
    town: Town, incident: Incident
) -> None:
    message = sent(town, incident)
    coming_back.store(message.pk, reports.report(), at(60))
    cycle.consume_all(at(61))
    message.refresh_from_db()
    assert message.state == "failed"
    (entry,) = told("mail.rejected", incident)
    assert (entry.clause, entry.recipient) == ("M3.2", "An Peeters")
    assert entry.reason.startswith("5.1.1 550 5.1.1")
    (kept,) = came_back(message.pk)
    assert (kept.kind, kept.code, bytes(kept.content)) == ("failed", "5.1.1", reports.report())


def test_an_address_is_in_doubt_from_then_on_until_somebody_made_sure(
    town: Town, incident: Incident
) -> None:
    provider = town.provider.pk
    assert in_doubt(provider, [ADDRESS, ""]) == {}
    coming_back.store(sent(town, incident).pk, reports.report(), at(60))
    cycle.consume_all(at(61))
    found = in_doubt(provider, [ADDRESS, "other@peeters.example"])
    assert list(found) == ["an@peeters.example"]
    row = found["an@peeters.example"]
    assert (row.bounced_at, row.code) == (at(61), "5.1.1")
    assert in_doubt(town.other.pk, [ADDRESS]) == {}
    assert coming_back.clear_address(provider, ADDRESS, at(70), "staff:1")
    assert in_doubt(provider, [ADDRESS]) == {}
    assert not coming_back.clear_address(provider, ADDRESS, at(70), "staff:1")
    assert Entry.objects.get(what="address.cleared").actor == "staff:1"
    # and again when the next one comes back
    coming_back.store(sent(town).pk, reports.report(status="5.2.2"), at(80))
    cycle.consume_all(at(81))
    assert in_doubt(provider, [ADDRESS])["an@peeters.example"].code == "5.2.2"
    assert BouncedAddress.objects.count() == 1


def test_an_address_that_the_server_refused_at_once_is_in_doubt_too(
    town: Town, incident: Incident
) -> None:
    from meldkamer.incidents.messages import sent as after

    message = sent(town, incident, state="sending")
    note_rejected(message, str(Rejected("550 5.1.1 no such user")), at(5))
    after.turned_down(message, at(5))
    row = in_doubt(town.provider.pk, [ADDRESS])["an@peeters.example"]
    assert (row.code, row.detail) == ("", "550 5.1.1 no such user")


def test_what_is_brought_twice_is_kept_once(town: Town) -> None:
    message = sent(town)
    for when in (60, 61):
        coming_back.store(message.pk, reports.report(), at(when))
    assert (IncomingMail.objects.count(), Receipt.objects.count()) == (1, 1)
    coming_back.store(message.pk, reports.report("delayed", "4.4.1"), at(62))
    assert (IncomingMail.objects.count(), Receipt.objects.count()) == (2, 1)


def test_a_delay_is_noted_and_changes_nothing(town: Town, incident: Incident) -> None:
    message = sent(town, incident)
    for when in (60, 61):
        coming_back.store(message.pk, reports.report("delayed", "4.4.1", "smtp; 451 busy"), at(60))
        cycle.consume_all(at(when))
    message.refresh_from_db()
    assert message.state == "handed_over"
    (entry,) = told("message.delayed", incident)
    assert (entry.clause, entry.reason) == ("M3.2", "4.4.1 451 busy")


@pytest.mark.parametrize("content", [reports.AWAY, reports.PERSON, b"?"])
def test_an_automatic_answer_is_kept_and_ignored(town: Town, content: bytes) -> None:
    message = sent(town)
    coming_back.store(message.pk, content, at(60))
    assert IncomingMail.objects.count() == 1
    assert not Receipt.objects.exists()
    assert not BouncedAddress.objects.exists()


def test_a_receipt_of_the_other_server_says_delivered(town: Town) -> None:
    message = sent(town)
    coming_back.store(message.pk, reports.report("delivered", "2.0.0", ""), at(60))
    cycle.consume_all(at(61))
    message.refresh_from_db()
    assert message.state == "delivered"


def test_what_no_mail_of_ours_has_sent_is_not_kept(town: Town) -> None:
    text = sent(town, channel="sms")
    for number in (text.pk, text.pk + 1000):
        with pytest.raises(coming_back.NoSuchMessage):
            coming_back.store(number, reports.report(), at(60))
    assert not IncomingMail.objects.exists()


@pytest.mark.clause("M3.2", "M12.3")
def test_a_mail_goes_out_to_a_real_server_and_its_report_finds_the_way_back(
    town: Town, incident: Incident
) -> None:
    town.provider.practice = False
    town.provider.save()
    with Peer() as peer:
        settings = {
            "host": "127.0.0.1", "port": peer.port, "tls": "none",
            "sender": "office@centre.example", "bounce_domain": "bounces.centre.example",
        }  # fmt: skip
        whose = town.provider.pk
        way = way_commands.add("smtp", "post", at(0), provider_id=whose, settings_given=settings)
        WayOut.objects.filter(pk=way.pk).update(state="up")
        message = sent(town, incident, state="pending", carrier=None, carrier_ref="")
        carrier = build("smtp", settings, {}, StoringEars(way.pk))
        (claimed,) = outbox.claim(ways.facts(way, at(1)), {(town.provider.pk, False)}, 5, at(1))
        House().taken([(claimed, carrier.send(claimed.parcel))], at(2))
        carrier.close()
        (got,) = peer.got
    message.refresh_from_db()
    assert (message.state, got.to) == ("handed_over", "An@peeters.example")
    back = message_of(got.sender)
    assert back == message.pk
    coming_back.store(back, reports.report(), at(60))
    cycle.consume_all(at(61))
    message.refresh_from_db()
    assert message.state == "failed"
    assert told("mail.rejected", incident)[0].clause == "M3.2"
