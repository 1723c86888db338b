"""The city: it sends what panels send, never drowns anybody, and dials the loopback alone."""

import asyncio
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from meldkamer.notify.models import InboundMessage, OutboxMessage
from meldkamer.office.sandbox.orders import Burglary, read_order
from meldkamer.office.sandbox.people import PREMISES, answer, texted
from meldkamer.project.city import day, rate_of, register
from meldkamer.project.city.codes import CODES, Beat, contact_id, sia
from meldkamer.project.city.day import Place
from meldkamer.project.city.fleet import Dialler, Fleet
from meldkamer.receivers.panel import Account, Panel
from meldkamer.rules.calls import SAYS
from meldkamer.sites.models import Site, Transmitter
from meldkamer.wire import lookup_contact_id, lookup_sia, open_envelope, read_frame

ZONES = {
    "contact": ("1", "4"), "pir": ("2",), "smoke": ("3",), "pendant": ("5",),
    "button_fixed": ("6",), "flood": ("7",), "temperature": ("8",),
}  # fmt: skip
HOUSE = Place(1, "House", ZONES)


@pytest.mark.parametrize("what", CODES)
def test_both_dialects_say_the_same_thing(what: str) -> None:
    sia_code, cid, _ = CODES[what]
    one, other = lookup_sia(sia_code), lookup_contact_id(cid[0], cid[1:])
    assert one.known
    assert other.known
    assert (one.role, one.type) == (other.role, other.type)


@pytest.mark.parametrize("key", [None, bytes(range(16)), bytes(range(32))])
def test_what_the_city_sends_is_read_by_the_centre(key: bytes | None) -> None:
    panel = Panel("127.0.0.1", 1, Account("D001", key))
    for text, token in ((sia(Beat(0, "burglary", "5")), "SIA-DCS"),
                        (contact_id(Beat(0, "burglary", "5")), "ADM-CID")):  # fmt: skip
        raw = panel.encode(token, "0001", f"#D001|{text}", {})
        event = open_envelope(read_frame(raw), key).events[0]
        assert (event.type, event.zone) == ("intrusion", "5")


@pytest.mark.parametrize("row", day.FOR_OPERATORS)
def test_a_happening_uses_zones_that_the_site_has(
    row: tuple[float, day.Happening, tuple[str, ...], int],
) -> None:
    _, happening, _, _ = row
    known = {number for numbers in ZONES.values() for number in numbers}
    for seed in range(30):
        beats = happening(HOUSE, Random(seed))
        assert beats
        assert beats[0].after_s == 0
        for beat in beats:
            assert beat.what in CODES
            if CODES[beat.what][2] == "zone":
                assert beat.number in known


@pytest.mark.clause("S9.1")
def test_a_burglary_meets_two_detectors() -> None:
    for seed in range(20):
        zones = [beat.number for beat in day.burglary(HOUSE, Random(seed))]
        assert len(set(zones)) == len(zones) >= 2


def test_a_happening_needs_a_site_with_the_right_zones() -> None:
    bare = Place(2, "Bare", {"contact": ("1",)})
    assert day.fit([HOUSE, bare], ("pendant",), 1) == [HOUSE]
    assert day.fit([HOUSE, bare], ("contact", "pir"), 2) == [HOUSE]


def test_it_is_lively_at_first_and_then_calmer() -> None:
    def mean(since_s: float, hour: int = 14, rate: float = 1.0) -> float:
        waits = [day.wait_s(since_s, hour, rate, Random(seed)) for seed in range(2000)]
        return sum(waits) / len(waits)

    assert 30 < mean(10) < 60
    assert 90 < mean(1000) < 150
    assert mean(1000, hour=3) > mean(1000)
    assert mean(10, rate=5) < mean(10) / 3
    assert min(day.wait_s(0, 12, 20, Random(seed)) for seed in range(500)) >= 3


@pytest.mark.parametrize("text", ["0", "21", "much", "nan", "-1"])
def test_a_rate_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("MELDKAMER_CITY_RATE", text)
    with pytest.raises(ValueError, match=r"expected a number from 0\.1 to 20"):
        rate_of(None)


def test_the_city_dials_the_loopback_alone() -> None:
    with pytest.raises(ValueError, match=r"127\.0\.0\.1 alone"):
        Fleet(12000, Random(1), host="192.0.2.1")


def test_a_receiver_that_is_away_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meldkamer.receivers.panel.RETRY_S", (0.0,))
    dialler = Dialler(HOUSE, Account("D001"), "sia", "tcp", armed=False)
    fleet = Fleet(1, Random(1))
    fleet._panel(dialler).retry_s = (0.0,)
    outcome = asyncio.run(fleet.say(dialler, Beat(0, "arm", "1")))
    assert outcome.answer == "none"
    assert (fleet.sent, fleet.lost) == (0, 1)


@pytest.mark.parametrize(
    ("payload", "order"),
    [("burglary", Burglary(None)), ("burglary:12", Burglary(12)), ("burglary:x", None),
     ("fire", None), ("", None)],
)  # fmt: skip
def test_only_orders_that_are_known_are_obeyed(payload: str, order: Burglary | None) -> None:
    assert read_order(payload) == order


def test_a_person_answers_the_same_way_each_time_he_is_asked() -> None:
    types = ("intrusion", "fire", "medical", "holdup", "power", "open_close")
    seen = set()
    for number in range(300):
        for kind in types:
            one = answer(f"c{number}", 7, kind, number % 2 == 0)
            assert one == answer(f"c{number}", 7, kind, number % 2 == 0)
            assert (one.picks_up == "yes") == bool(one.words)
            assert one.says in (SAYS if one.picks_up == "yes" else ("",))
            seen.add((one.picks_up, one.says, one.gives_code))
    assert {"yes", "no", "voicemail"} == {picks for picks, _, _ in seen}
    assert {"right", "wrong", "none"} == {code for _, _, code in seen}
    assert {says for _, says, _ in seen} >= set(SAYS)


def test_nobody_says_false_alarm_in_a_house_that_is_broken_into() -> None:
    for number in range(200):
        for person in (PREMISES, f"c{number}"):
            assert answer(person, number, "intrusion", True).says != "false_alarm"


@pytest.mark.slow
def test_the_city_knows_its_panels_with_their_keys(demo: str) -> None:
    panels = register.panels()
    assert len(panels) == 196
    sizes = {len(panel.account.key) if panel.account.key else 0 for panel in panels}
    assert sizes == {0, 16, 24, 32}
    assert {panel.transport for panel in panels} == {"tcp", "udp"}
    assert {panel.dialect for panel in panels} == {"sia", "cid"}


@pytest.mark.slow
@pytest.mark.clause("S7.3")
def test_only_the_demos_people_answer_texts_each_once(demo: str) -> None:
    now = datetime.now(UTC)
    site = Site.objects.get(transmitters__account="D001")
    contact = site.contacts.get(position=1)
    incident = next(n for n in range(10_000, 10_500) if texted(f"c{contact.pk}", n).text)
    values = {
        "channel": "sms", "template": "ladder", "state": "handed_over", "clause": "S7.1",
        "recipient": contact.name, "address": contact.phone, "language": "nl", "body": "x",
        "created_at": now, "handed_over_at": now, "incident_id": incident,
        "contact_id": contact.pk, "site_id": site.pk,
    }  # fmt: skip
    first = OutboxMessage.objects.create(**values)
    OutboxMessage.objects.create(**values)
    last, found = register.replies(first.pk - 1, now)
    assert last == first.pk + 1
    assert [reply.message_id for reply in found] == [first.pk]
    assert timedelta(seconds=5) < found[0].at - now < timedelta(seconds=60)
    register.answer_text(found[0], now)
    register.answer_text(found[0], now)
    assert InboundMessage.objects.filter(sender=contact.phone).count() == 1
    Transmitter.objects.filter(site=site).update(account="9999")
    assert register.replies(first.pk - 1, now)[1] == []
