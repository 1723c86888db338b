"""A message to the app that no phone takes is a person's to tell (S16.1, S8.3)."""

from __future__ import annotations

import pytest
from django.db import transaction

from meldkamer.engine.sending import House
from meldkamer.incidents.models import Notice
from meldkamer.journal.models import Entry
from meldkamer.notify import outbox, ways
from meldkamer.notify.carrier import Rejected
from meldkamer.notify.models import OutboxMessage, WayOut
from meldkamer.rules import routing
from tests.incidents.town import Town, at


def _claimed(row: WayOut) -> list[outbox.Claimed]:
    facts = ways.outside()
    mine = routing.firsts(facts, ways.providers_outside()).get(row.pk, set())
    return outbox.claim(ways.facts(row), mine, 10, at(1))


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
