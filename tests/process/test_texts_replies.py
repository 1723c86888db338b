"""Rounds, late replies and shared numbers: a real worker and a real SMS centre (S7.5–S7.10)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from meldkamer.incidents.models import Incident, Notice
from meldkamer.journal.models import Entry
from meldkamer.notify.models import InboundMessage, WayOut
from meldkamer.sites.models import Site
from tests.incidents.town import Town
from tests.notify.sms.centres import NodeCentre, node_centre
from tests.peers import until
from tests.process.texting import a_site, battery_low, over_smpp, phones_of, texts_of, work

pytestmark = pytest.mark.slow
LANDLINE, STRANGER = "+3292210018", "32499999999"


@pytest.fixture
def centre() -> Iterator[NodeCentre]:
    with node_centre() as one:
        yield one


def _is(site: Site, state: str, many: int = 1) -> Callable[[], bool]:
    """Whether the site has so many incidents, the last of them so."""

    def looked() -> bool:
        found = list(Incident.objects.filter(site=site).order_by("pk"))
        return len(found) == many and (found[-1].outcome or found[-1].state) == state

    return looked


def _texted(centre: NodeCentre, phone: str, site: Site) -> list[str]:
    """Texts about this site that the phone got."""
    got = centre.all("submitted")
    return [one["text"] for one in got if one["to"] == phone and site.name in one["text"]]


def _clauses(site: Site, what: str) -> list[str]:
    rows = Entry.objects.filter(what=what, site_id=site.pk).order_by("id")
    return list(rows.values_list("clause", flat=True))


@pytest.mark.clause("S7.5", "S7.6")
def test_two_rounds_without_an_answer_end_at_an_operator_and_a_landline_is_left_out(
    town: Town, test_dsn: str, centre: NodeCentre
) -> None:
    over_smpp(centre.port)
    nobody, landline = a_site(town, "mix"), a_site(town, "mix")
    landline.contacts.filter(position=1).update(phone=LANDLINE)
    with work(test_dsn, wait_s=1):
        until(lambda: WayOut.objects.get().state == "up", "the carrier works")
        for site in (nobody, landline):
            battery_low(town, site)
        for site in (nobody, landline):
            until(_is(site, "queued"), "with the operators", 15)
    first, second = phones_of(nobody)
    assert [one.address[1:] for one in texts_of(nobody)] == [first, second] * 2
    assert [len(_texted(centre, phone, nobody)) for phone in (first, second)] == [2, 2]
    assert _clauses(nobody, "sms.sent") == ["S7.1", "S7.2", "S7.5", "S7.2"]
    assert _clauses(nobody, "incident.queued") == ["S7.5"]
    # S7.6: skipped in both rounds, and on the list of those who are called
    assert [one.address[1:] for one in texts_of(landline)] == [phones_of(landline)[1]] * 2
    assert not [one for one in centre.all("submitted") if one["to"] == LANDLINE[1:]]


@pytest.mark.clause("S7.3", "S7.7", "S7.8", "S7.9", "S7.10")
def test_late_replies_shared_numbers_and_strangers(
    town: Town, test_dsn: str, centre: NodeCentre
) -> None:
    over_smpp(centre.port)
    late, regrets, one, other = (a_site(town, contacts=1) for _ in range(4))
    shared = one.contacts.get()
    other.contacts.update(phone=shared.phone)
    with work(test_dsn, wait_s=3):
        until(lambda: WayOut.objects.get().state == "up", "the carrier works")
        for site in (late, regrets, one):
            battery_low(town, site)
        [his], [hers], [theirs] = phones_of(late), phones_of(regrets), phones_of(one)
        until(lambda: bool(_texted(centre, hers, regrets)), "the text")
        centre.mo("Ok", **{"from": hers})
        until(_is(regrets, "confirmed_by_sms"), "closed")
        # S7.8: what comes after closing and is no "ok" opens it anew; an "ok" changes nothing
        centre.mo("toch niet", **{"from": hers})
        until(_is(regrets, "queued", 2), "opened anew")
        # S7.9: one phone, two sites; the reply answers the last and what came before it
        until(lambda: bool(_texted(centre, theirs, one)), "the text")
        battery_low(town, other)
        until(lambda: bool(_texted(centre, theirs, other)), "the text of the other")
        # S7.7: nobody answered in time, an operator has it, and then he does
        until(_is(late, "queued"), "with the operators", 10)
        centre.mo("ok", **{"from": theirs})
        for site in (one, other):
            until(_is(site, "confirmed_by_sms"), "both closed by one reply")
        centre.mo(" oK", **{"from": his})
        until(_is(late, "confirmed_by_sms"), "closed though it was late")
        centre.mo("ok", **{"from": his})
        centre.mo("hallo?", **{"from": STRANGER})
        until(lambda: Notice.objects.filter(kind="reply").exists(), "on the operators' list")
        until(lambda: centre.answers("mo") == [0] * 6, "each is answered")
    assert not InboundMessage.objects.filter(consumed_at=None).exists()
    assert _clauses(late, "sms.received") == ["S7.3", "S7.7"]
    assert _clauses(regrets, "sms.received")[-1] == "S7.8"
    assert Incident.objects.get(site=regrets, closed_at=None).origin == "late_reply"
    assert {*_clauses(one, "sms.answered"), *_clauses(other, "sms.answered")} == {"S7.9"}
    [notice] = Notice.objects.filter(kind="reply")
    assert (notice.clause, "hallo?" in notice.text) == ("S7.10", True)
