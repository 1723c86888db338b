"""Calls that come in: who it may be, who answers, and that none is lost; nothing is trusted."""

from __future__ import annotations

from typing import Any

import pytest

from meldkamer.engine import cycle
from meldkamer.incidents.faults import Gone, NotYours, Refused
from meldkamer.incidents.models import Notice
from meldkamer.incidents.telephone import answering
from meldkamer.notify.desk import queries
from meldkamer.notify.desk.models import IncomingCall
from meldkamer.notify.models import WayOut
from meldkamer.people.models import Staff
from meldkamer.sites.models import Contact, Site
from tests.incidents.town import Town, at, told

CENTRE, THEIRS = "+3222630000", "+3292660000"


@pytest.fixture
def pbx(town: Town) -> WayOut:
    """Two providers with a number each; one exchange of the house."""
    town.provider.emergency_phone, town.other.emergency_phone = "02 263 00 00", THEIRS
    town.provider.save()
    town.other.save()
    return WayOut.objects.create(channel="desk", kind="pbx_http", name="Exchange")


def ring(pbx: WayOut, caller: str, ref: str = "c-1", called: str = CENTRE, s: float = 0) -> Any:
    return answering.tell(pbx, ref, "ringing", at(s), caller=caller, called=called)


def seen(staff: Staff, town: Town, s: float = 1) -> list[IncomingCall]:
    ids = list(staff.providers.values_list("pk", flat=True))
    return queries.running(ids, staff.pk, at(s))


@pytest.mark.clause("S24.2")
def test_the_number_dialled_says_whose_call_it_is_and_others_see_nothing(
    town: Town, pbx: WayOut
) -> None:
    call = ring(pbx, town.contact().phone)
    assert call.provider_id == town.provider.pk
    assert seen(town.emma, town) == [call]
    assert seen(town.stranger, town) == []
    theirs = ring(pbx, "0475 99 88 77", "c-2", THEIRS)
    assert theirs.provider_id == town.other.pk
    assert seen(town.emma, town) == [call]


def test_a_call_to_nobody_s_number_is_seen_by_all_and_named_by_none(
    town: Town, pbx: WayOut
) -> None:
    call = ring(pbx, town.contact().phone, called="+3220000000")
    assert seen(town.emma, town) == seen(town.stranger, town) == [call]
    assert answering.candidates(call, [town.other.pk]) == []
    (one,) = answering.candidates(call, [town.provider.pk])
    assert one.person == "An Peeters"


@pytest.mark.clause("S19.1")
def test_the_number_says_who_it_may_be_at_every_site_that_knows_it(town: Town, pbx: WayOut) -> None:
    phone = town.contact().phone
    second = town.build_site("Slagerij Claes")
    Contact.objects.filter(site=second, position=1).update(phone=phone)
    third = town.build_site("Kapper", premises_phone=phone)
    found = answering.candidates(ring(pbx, phone), [town.provider.pk])
    assert {(one.site, one.person) for one in found} == {
        ("Bakkerij Peeters", "An Peeters"), ("Slagerij Claes", "An Peeters"), ("Kapper", ""),
    }  # fmt: skip
    assert third.pk in {one.site_id for one in found}
    # who rings is not identified by it
    assert told("identified") == []


def test_another_provider_s_contact_of_that_number_is_not_named(town: Town, pbx: WayOut) -> None:
    call = ring(pbx, town.contact().phone, called=THEIRS)
    assert answering.candidates(call, [town.other.pk, town.provider.pk]) == []


@pytest.mark.parametrize(
    ("caller", "number", "text"),
    [
        ("anonymous", "", ""),
        ('"An Peeters" <sip:0475123456@pbx>', "+32475123456", ""),
        ("sip:alice@example.be", "", "alice"),
        ("\x00\x07" + "9" * 400, "", "9" * 40),
        ("", "", ""),
    ],
)
def test_whatever_the_network_shows_the_call_is_there(
    town: Town, pbx: WayOut, caller: str, number: str, text: str
) -> None:
    call = ring(pbx, caller)
    assert (call.caller, call.caller_text) == (number, text)
    assert seen(town.emma, town) == [call]
    assert answering.candidates(call, [town.provider.pk]) == []


@pytest.mark.clause("S12.1")
def test_who_answers_first_has_it_and_the_others_see_no_more_of_it(town: Town, pbx: WayOut) -> None:
    call = ring(pbx, "0475123456")
    answering.take(town.emma, call.pk, at(3))
    assert seen(town.emma, town) != []
    assert seen(town.jef, town) == []
    with pytest.raises(NotYours) as refused:
        answering.take(town.jef, call.pk, at(4))
    assert refused.value.detail["holder"] == "emma"
    (entry,) = told("call.taken")
    assert (entry.clause, entry.actor) == ("S12.1", f"staff:{town.emma.pk}")
    with pytest.raises(Refused):
        answering.take(town.stranger, call.pk, at(4))


def test_the_telephone_that_answered_says_who_has_it(town: Town, pbx: WayOut) -> None:
    Staff.objects.filter(pk=town.jef.pk).update(extension="202")
    Staff.objects.filter(pk=town.stranger.pk).update(extension="300")
    call = ring(pbx, "0475123456")
    answering.tell(pbx, "c-1", "answered", at(4), extension="202")
    call.refresh_from_db()
    assert call.taken_by == town.jef
    assert seen(town.emma, town) == []
    other = ring(pbx, "0475123456", "c-2")
    answering.tell(pbx, "c-2", "answered", at(4), extension="300")
    other.refresh_from_db()
    assert other.taken_by is None  # that telephone is of another provider's staff


def test_a_call_that_is_over_is_gone_from_every_desk(town: Town, pbx: WayOut) -> None:
    call = ring(pbx, "0475123456")
    answering.tell(pbx, "c-1", "ended", at(5))
    assert seen(town.emma, town) == []
    with pytest.raises(Gone):
        answering.take(town.emma, call.pk, at(6))


def missed() -> list[Notice]:
    return list(Notice.objects.filter(kind="missed_call").order_by("pk"))


@pytest.mark.clause("S12.1", "M12.2")
def test_a_call_that_nobody_took_goes_to_the_list_with_its_number(town: Town, pbx: WayOut) -> None:
    ring(pbx, town.contact().phone)
    cycle.act_on_due(at(29))
    assert missed() == []
    cycle.act_on_due(at(30))
    (notice,) = missed()
    assert town.contact().phone in notice.text
    assert "An Peeters" in notice.text
    assert (notice.clause, notice.site, notice.provider_id) == (
        "S12.1", town.site, town.provider.pk,
    )  # fmt: skip
    (entry,) = told("call.missed")
    assert entry.clause == "S12.1"
    answering.tell(pbx, "c-1", "ended", at(40))
    cycle.act_on_due(at(90))
    assert len(missed()) == 1


def test_who_hangs_up_before_is_called_back_too(town: Town, pbx: WayOut) -> None:
    ring(pbx, "0475123456")
    answering.tell(pbx, "c-1", "ended", at(6))
    cycle.act_on_due(at(60))
    assert len(missed()) == 1


@pytest.mark.parametrize("how", ["desk", "telephone"])
def test_a_call_that_was_answered_is_not_missed(town: Town, pbx: WayOut, how: str) -> None:
    call = ring(pbx, "0475123456")
    if how == "desk":
        answering.take(town.emma, call.pk, at(2))
    else:
        answering.tell(pbx, "c-1", "answered", at(2), extension="999")
    answering.tell(pbx, "c-1", "ended", at(90))
    cycle.act_on_due(at(200))
    assert missed() == []


def test_told_twice_or_late_or_out_of_order_it_is_one_call(town: Town, pbx: WayOut) -> None:
    ring(pbx, "0475123456")
    ring(pbx, "0475123456", s=1)
    answering.tell(pbx, "c-1", "ended", at(5))
    answering.tell(pbx, "c-1", "answered", at(6), extension="202")
    answering.tell(pbx, "c-9", "ended", at(7), caller="0475000000", called=CENTRE)
    assert IncomingCall.objects.count() == 2
    assert {call.state for call in IncomingCall.objects.all()} == {"ended"}
    assert len(missed()) == 2


def test_its_own_exchange_says_after_how_long(town: Town, pbx: WayOut) -> None:
    WayOut.objects.update(settings={"unanswered_after_s": 5})
    pbx.refresh_from_db()
    ring(pbx, "0475123456")
    cycle.act_on_due(at(5))
    assert len(missed()) == 1


@pytest.mark.clause("S19.1")
def test_which_record_was_opened_for_it_is_written_down(town: Town, pbx: WayOut) -> None:
    call = ring(pbx, "0475123456")
    answering.about(town.emma, call.pk, town.site.pk, at(2))
    assert told("call.opened_record") == []
    answering.take(town.emma, call.pk, at(3))
    answering.about(town.emma, call.pk, town.site.pk, at(4))
    answering.about(town.emma, call.pk, town.site.pk, at(5))
    (entry,) = told("call.opened_record")
    assert (entry.clause, entry.site_id) == ("S19.1", town.site.pk)
    held = queries.in_hand(town.emma.pk, at(10))
    assert held is not None
    assert held.pk == call.pk
    answering.tell(pbx, "c-1", "ended", at(20))
    assert queries.in_hand(town.emma.pk, at(60)) is not None
    assert queries.in_hand(town.emma.pk, at(200)) is None
    assert Site.objects.filter(pk=held.site_id).exists()
