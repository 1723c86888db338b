"""What leaves the house and what comes back (S7.1, S7.3, M12.4)."""

from __future__ import annotations

from functools import partial

import pytest

from meldkamer.notify import inbox
from meldkamer.notify.models import InboundMessage, PatrolUnit
from meldkamer.notify.patrol import jobs
from meldkamer.notify.queries import free_units
from meldkamer.notify.templates import render
from tests.incidents.together import faults, together
from tests.incidents.town import NOW, Town, at, run


@pytest.mark.clause("S7.3")
@pytest.mark.django_db(transaction=True)
def test_a_reply_that_the_carrier_brings_several_times_is_stored_once(
    committed_town: Town,
) -> None:
    bring = partial(inbox.store_inside, "+32475000001", "ok", NOW, "carrier-7")
    results = together(bring, bring, bring)
    assert faults(results) == []
    assert len(set(results)) == 1
    assert InboundMessage.objects.count() == 1
    assert inbox.store_inside("+32475000001", "ok", NOW) != results[0]


def test_a_nul_character_in_a_reply_does_no_harm(town: Town) -> None:
    number = inbox.store_inside("+32475\x00000001", "o\x00k", NOW)
    row = InboundMessage.objects.get(pk=number)
    assert (row.sender, row.text) == ("+32475000001", "ok")


@pytest.mark.clause("S7.1", "M12.4")
@pytest.mark.parametrize("template", ["ladder", "held", "app"])
def test_each_text_says_type_zone_and_site_in_four_languages(template: str) -> None:
    facts = {"provider": "Securitas", "site": "Bakkerij", "type": "battery", "zone": "Voordeur"}
    bodies = {
        language: render(template, language, facts)[1] for language in ["nl", "fr", "de", "en"]
    }
    assert len(set(bodies.values())) == 4, bodies
    for body in bodies.values():
        assert "Bakkerij" in body
        assert "Voordeur" in body
        assert "{" not in body


@pytest.mark.clause("S6.1")
def test_the_nearest_free_patrol_goes_and_one_that_is_away_does_not(town: Town) -> None:
    for name, latitude, state in (
        ("far", 51.0, "free"), ("near", 51.19, "free"), ("nearer", 51.2, "sent"),
        ("off", 51.2, "off"), ("nowhere", None, "free"),
    ):  # fmt: skip
        PatrolUnit.objects.create(
            provider_id=1, name=name, latitude=latitude, state=state, reported_at=NOW,
            longitude=None if latitude is None else 4.4,
        )  # fmt: skip
    here = (51.2, 4.4)
    units = free_units(1, here, NOW, stale_s=600)
    assert [unit.name for unit in units] == ["near", "far", "nowhere"]
    assert free_units(2, here, NOW, stale_s=600) == []
    assert jobs.take(units[0], "sent", 7, NOW)
    # a second desk that read the same list comes too late
    assert not jobs.take(units[0], "sent", 8, NOW)
    left = [unit.name for unit in free_units(1, here, NOW, stale_s=600)]
    assert left == ["far", "nowhere"]


@pytest.mark.clause("S7.6")
def test_who_may_not_be_texted_is_not_texted(town: Town) -> None:
    first = town.contact(1)
    first.phone = "+3232345678"
    first.save()
    town.signal("battery", "YT")
    run(NOW)
    run(at(5))
    from meldkamer.notify.models import OutboxMessage

    [text] = OutboxMessage.objects.all()
    assert text.address == town.contact(2).phone
