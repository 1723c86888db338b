"""A message to the app that no phone takes is a person's to tell (S16.1, S8.3)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from django.db import transaction

from meldkamer.agenda.models import AgendaRow
from meldkamer.engine.sending import House
from meldkamer.incidents.deciding.carry_out import APP_DUE
from meldkamer.incidents.deciding.facts import terms_of
from meldkamer.incidents.messages import another_way, receipts
from meldkamer.incidents.models import Notice
from meldkamer.journal.models import Entry
from meldkamer.notify import outbox, way_commands, ways
from meldkamer.notify.carrier import Rejected
from meldkamer.notify.models import OutboxMessage, WayOut
from meldkamer.notify.push import commands
from meldkamer.notify.push.subscriptions import Subscribed
from meldkamer.notify.push.webpush import public_key
from meldkamer.rules import routing
from meldkamer.terms.model import App
from tests.incidents.town import Town, at
from tests.notify.push.service import PushService, unpadded


def _claimed(row: WayOut) -> list[outbox.Claimed]:
    facts = ways.outside(at(1))
    mine = routing.firsts(facts, ways.providers_outside()).get(row.pk, set())
    return outbox.claim(ways.facts(row, at(1)), mine, 10, at(1))


def _carrier(kind: str, name: str) -> WayOut:
    return WayOut.objects.create(channel="app", kind=kind, name=name, state="up", two_way=True)


@pytest.fixture
def in_the_app(town: Town) -> Town:
    """A town outside of practice, whose technical alarms go to the app alone."""
    town.provider.practice = False
    town.provider.save()
    town.site.formula = "app"
    town.site.save()
    return town


@pytest.mark.clause("S16.1", "S8.3")
def test_who_has_the_app_on_no_phone_stands_on_the_operators_list(in_the_app: Town) -> None:
    push = _carrier("webpush", "push")
    incident = in_the_app.incident("battery")
    [claimed] = _claimed(push)
    House().refused(claimed, Rejected("An Peeters has the app on no phone"), at(2))
    [notice] = Notice.objects.filter(kind="app")
    assert (notice.clause, notice.site_id, notice.incident_id) == (
        "S16.1", in_the_app.site.pk, incident.pk,
    )  # fmt: skip
    assert notice.text.startswith("An Peeters: ")
    [entry] = Entry.objects.filter(what="app.rejected")
    assert (entry.clause, entry.reason) == ("S16.1", "An Peeters has the app on no phone")


@pytest.fixture
def may_be_texted(in_the_app: Town, monkeypatch: pytest.MonkeyPatch) -> Town:
    """The same, where the terms allow a text in the place of the app."""
    own = terms_of(in_the_app.site)
    terms = msgspec.structs.replace(own, app=App(instead="text", after_s=300))
    monkeypatch.setattr("meldkamer.incidents.deciding.facts.load", lambda name: terms)
    return in_the_app


@pytest.mark.clause("S8.3", "S16.1", "M12.4")
def test_who_has_the_app_on_no_phone_is_texted_in_his_language_where_the_terms_allow(
    may_be_texted: Town,
) -> None:
    contact = may_be_texted.contact(1)
    contact.language = "fr"
    contact.save()
    push = _carrier("webpush", "push")
    incident = may_be_texted.incident("battery")
    [claimed] = _claimed(push)
    House().refused(claimed, Rejected("An Peeters has the app on no phone"), at(2))
    text = OutboxMessage.objects.get(channel="sms")
    assert (text.address, text.language, text.clause) == (contact.phone, "fr", "S16.1")
    assert (text.incident_id, text.template) == (incident.pk, "notice")
    assert "batterie" in text.body
    assert not Notice.objects.exists()
    course = Entry.objects.filter(incident_id=incident.pk).order_by("pk")
    assert list(course.values_list("what", "clause"))[-2:] == [
        ("app.rejected", "S16.1"), ("sms.sent", "S16.1"),
    ]  # fmt: skip


@pytest.mark.clause("S8.3", "S7.6")
def test_whose_number_may_not_be_texted_stands_on_the_list_all_the_same(
    may_be_texted: Town,
) -> None:
    contact = may_be_texted.contact(1)
    contact.phone = "+3292210018"
    contact.save()
    push = _carrier("webpush", "push")
    may_be_texted.incident("battery")
    [claimed] = _claimed(push)
    House().refused(claimed, Rejected("An Peeters has the app on no phone"), at(2))
    assert not OutboxMessage.objects.filter(channel="sms").exists()
    assert [notice.clause for notice in Notice.objects.filter(kind="app")] == ["S16.1"]


@pytest.mark.clause("S8.3", "S16.1")
def test_what_no_carrier_takes_is_texted_after_its_time_and_goes_no_second_way(
    may_be_texted: Town,
) -> None:
    incident = may_be_texted.incident("battery")
    [row] = AgendaRow.objects.filter(kind=APP_DUE, done_at=None)
    assert row.due == incident.opened_at + timedelta(seconds=300)
    another_way.overdue(row, at(300))
    app = OutboxMessage.objects.get(channel="app")
    assert app.state == OutboxMessage.State.CANCELLED
    assert OutboxMessage.objects.get(channel="sms").clause == "S16.1"
    # its carrier comes back: nothing is left for it
    assert _claimed(_carrier("webpush", "push")) == []
    another_way.overdue(row, at(301))
    assert OutboxMessage.objects.filter(channel="sms").count() == 1


@pytest.mark.clause("S8.3")
def test_what_its_carrier_took_in_time_is_not_texted(may_be_texted: Town) -> None:
    push = _carrier("webpush", "push")
    may_be_texted.incident("battery")
    [claimed] = _claimed(push)
    [row] = AgendaRow.objects.filter(kind=APP_DUE, done_at=None)
    # in its hands when the time is up: what comes of it is waited for
    another_way.overdue(row, at(300))
    assert AgendaRow.objects.filter(kind=APP_DUE, due__gt=at(300)).exists()
    House().taken([(claimed, "1")], at(301))
    another_way.overdue(row, at(400))
    assert not OutboxMessage.objects.filter(channel="sms").exists()


@pytest.mark.clause("S8.3")
def test_the_shipped_terms_name_no_other_way_and_put_nothing_on_the_agenda(
    in_the_app: Town,
) -> None:
    in_the_app.incident("battery")
    assert OutboxMessage.objects.get().clause == "S16.1"
    assert not AgendaRow.objects.filter(kind=APP_DUE).exists()


@pytest.mark.clause("S8.3", "S8.5")
def test_the_site_names_the_cloud_and_no_other_carrier_takes_its_messages(
    in_the_app: Town,
) -> None:
    in_the_app.site.app_cloud = "Ajax"
    in_the_app.site.save()
    in_the_app.incident("battery")
    push, paradox, ajax = (
        _carrier("webpush", "push"), _carrier("app_cloud", "Paradox"),
        _carrier("app_cloud", "Ajax"),
    )  # fmt: skip
    assert [_claimed(push), _claimed(paradox)] == [[], []]
    [claimed] = _claimed(ajax)
    assert OutboxMessage.objects.get().cloud == "Ajax"
    with transaction.atomic():
        House().refused(claimed, Rejected("x"), at(2))


@pytest.mark.clause("S8.3")
def test_where_the_cloud_notifies_by_itself_nothing_is_sent(in_the_app: Town) -> None:
    in_the_app.site.app_cloud, in_the_app.site.app_notifies = "Ajax", True
    in_the_app.site.save()
    in_the_app.incident("battery")
    assert not OutboxMessage.objects.exists()
    [entry] = Entry.objects.filter(what="app.left_to_cloud")
    assert entry.clause == "S8.3"


@pytest.fixture
def service(settings: Any) -> Iterator[PushService]:
    """The push service of An's phone."""
    settings.MELDKAMER_PUSH_ANYWHERE = True
    made = PushService()
    made.voters = public_key(settings.MELDKAMER_PUSH_KEY)
    yield made
    made.close()


@pytest.mark.clause("S8.1", "S8.3", "S16.1", "S19.1")
@pytest.mark.parametrize(
    ("kind", "clause", "state"),
    [("battery", "S16.1", "closed"), ("sabotage", "S8.1", "queued")],
)
def test_from_the_signal_to_the_phone_and_back_and_no_alarm_is_stood_down_by_it(
    in_the_app: Town, service: PushService, kind: str, clause: str, state: str
) -> None:
    contact = in_the_app.contact(1)
    phone, _ = commands.enter(commands.issue_link(contact, at(-60), "staff:1"), "", at(-50))
    browser = service.browser()
    endpoint = service.address + browser.path
    where = Subscribed(endpoint, browser.p256dh, unpadded(browser.auth))
    commands.subscribe(phone, where, at(-40))
    row = way_commands.add(
        "webpush", "push", at(-30), settings_given={"contact": "technic@securitas.example"}
    )
    WayOut.objects.filter(pk=row.pk).update(state="up")
    incident = in_the_app.incident(kind)
    [claimed] = _claimed(row)
    carrier = ways.carrier_of(row)
    House().taken([(claimed, carrier.send(claimed.parcel))], at(2))
    [got] = service.got
    assert got.said["body"] == claimed.parcel.body
    assert commands.acknowledge(phone, claimed.parcel.id, at(30)) is not None
    assert receipts.consume_next(at(31))
    assert not receipts.consume_next(at(32))
    [entry] = Entry.objects.filter(what="message.acknowledged")
    assert (entry.clause, entry.incident_id, entry.recipient) == (
        clause, incident.pk, contact.name,
    )  # fmt: skip
    incident.refresh_from_db()
    assert incident.state == state
