"""The desk's telephone: how one dials, what the exchange says, who may be calling, call sheets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from meldkamer.incidents.models import Incident
from meldkamer.incidents.telephone import answering, desk_calls
from meldkamer.journal.models import Entry
from meldkamer.notify import way_commands
from meldkamer.notify.desk.models import DeskCall, IncomingCall
from meldkamer.notify.models import OutboxMessage, WayOut
from meldkamer.people.models import CallerTries, Staff
from meldkamer.sites import service_numbers
from meldkamer.sites.models import Site
from meldkamer.sites.service_numbers import EmergencyDraft, ServiceNumberDraft
from meldkamer.terms.loader import varied
from tests.console.scene import CODE, Scene, burglary
from tests.console.test_access import logged_in
from tests.console.test_acts import act, consult
from tests.notify.desk.exchange import Exchange, exchange


@pytest.fixture(scope="module")
def peer() -> Iterator[Exchange]:
    with exchange() as found:
        yield found


def for_real(scene: Scene) -> None:
    """The provider is not in practice: calls go out."""
    scene.providers["securitas"].practice = False
    scene.providers["securitas"].save()


@pytest.fixture
def pbx(scene: Scene, peer: Exchange, desk: Client) -> WayOut:
    """Eva dials through it."""
    peer.code = 200
    peer.asked.clear()
    for_real(scene)
    desk.post("/choose/", {"dials": "pbx", "extension": "201"})
    settings = {"url": f"{peer.url}/o/{{extension}}/{{number}}/{{id}}"}
    return way_commands.add("pbx_http", "Exchange", scene.now, settings_given=settings)


def hear(state: str, talked_s: int | None = None) -> None:
    last = DeskCall.objects.latest("pk")
    assert desk_calls.heard(int(last.way_id or 0), last.pk, state, datetime.now(UTC), talked_s)


def page_of(desk: Client, incident: Incident) -> str:
    return desk.get(f"/incident/{incident.pk}/", headers={"HX-Request": "true"}).content.decode()


# --- how one dials


@pytest.mark.parametrize(
    ("sent", "status"),
    [({"dials": "tel"}, 302), ({"dials": "pbx", "extension": "desk-3"}, 302),
     ({"dials": "pbx"}, 400), ({"dials": "smoke"}, 400),
     ({"dials": "pbx", "extension": "201&Local/999"}, 400)],
)  # fmt: skip
def test_an_operator_says_how_he_dials(
    desk: Client, operator: Staff, sent: dict[str, str], status: int
) -> None:
    assert desk.post("/choose/", sent).status_code == status
    operator.refresh_from_db()
    assert operator.dials == (sent["dials"] if status == 302 else "hand")


def test_who_sits_at_a_telephone_now_has_it(scene: Scene, desk: Client) -> None:
    jan = scene.staff("jan")
    logged_in(jan).post("/choose/", {"dials": "pbx", "extension": "201"})
    desk.post("/choose/", {"dials": "pbx", "extension": "201"})
    jan.refresh_from_db()
    assert (jan.dials, jan.extension) == ("pbx", "")


def test_the_page_knows_which_link_to_follow(scene: Scene, desk: Client, taken: Incident) -> None:
    for_real(scene)
    desk.post("/choose/", {"dials": "sip"})
    page = desk.get(f"/incident/{taken.pk}/").content.decode()
    assert 'data-dials="sip"' in page
    assert 'data-dial="+3292210017"' in page


def test_in_practice_no_link_dials_a_real_person(
    scene: Scene, desk: Client, taken: Incident
) -> None:
    for_real(scene)
    assert "data-dial=" in page_of(desk, taken)
    taken.provider.practice = True
    taken.provider.save()
    assert "data-dial=" not in page_of(desk, taken)


# --- through the exchange


def test_d_rings_the_desk_and_says_so(
    desk: Client, pbx: WayOut, taken: Incident, peer: Exchange
) -> None:
    page = act(desk, taken, "dial", step="call:premises")
    assert peer.asked[0].path == f"/o/201/+3292210017/{DeskCall.objects.get().pk}"
    assert "Your telephone 201 rings." in page


@pytest.mark.parametrize(
    ("state", "words", "key"),
    [("busy", "engaged", "7"), ("no_answer", "nobody answered", "5"), ("answered", "", "")],
)
def test_what_the_exchange_says_chooses_a_result_for_him_to_confirm(
    desk: Client, pbx: WayOut, taken: Incident, state: str, words: str, key: str
) -> None:
    act(desk, taken, "dial", step="call:premises")
    hear(state)
    page = page_of(desk, taken)
    assert words in page
    hinted = [part for part in page.split("<button") if "hinted" in part]
    assert [f'data-key="{key}"' in part for part in hinted] == ([True] if key else [])
    assert not Entry.objects.filter(what="call.result").exists()


@pytest.mark.clause("M3.1")
def test_what_answered_may_be_a_voicemail_and_the_operator_says_so(
    desk: Client, pbx: WayOut, taken: Incident
) -> None:
    act(desk, taken, "dial", step="call:premises")
    hear("answered")
    hear("ended", 12)
    page = page_of(desk, taken)
    assert "ended after 0:12. A voicemail answers too." in page
    assert "hinted" not in page
    page = act(desk, taken, "result", step="call:premises", result="voicemail")
    assert "A voicemail answers too." not in page


def test_a_dead_exchange_says_the_number_to_dial_by_hand(
    desk: Client, pbx: WayOut, taken: Incident
) -> None:
    way_commands.change(
        pbx.pk, datetime.now(UTC), values={"settings": {"url": "http://127.0.0.1:1/{number}"}}
    )
    page = act(desk, taken, "dial", step="call:premises")
    assert "The exchange did not place the call: cannot be reached" in page
    assert "Dial 09 221 00 17 by hand." in page


def test_the_hint_of_an_earlier_call_is_not_shown_in_the_next(
    desk: Client, pbx: WayOut, taken: Incident, site: Site
) -> None:
    act(desk, taken, "dial", step="call:premises")
    hear("busy")
    act(desk, taken, "result", step="call:premises", result="busy")
    desk.post("/choose/", {"dials": "hand"})
    page = act(desk, taken, "dial", step=f"call:c{site.contacts.get(position=1).pk}")
    assert "The exchange says" not in page


# --- the call sheet


@pytest.fixture
def verified(scene: Scene, site: Site, taken: Incident, desk: Client) -> Incident:
    scene.signal(site, zone="5", at=scene.now + timedelta(seconds=20))
    consult(desk, taken, site)
    return taken


@pytest.mark.clause("B1")
def test_the_sheet_is_in_the_language_of_the_region_and_the_desk_in_the_operator_s(
    scene: Scene, desk: Client, site: Site, verified: Incident
) -> None:
    draft = EmergencyDraft("pharmacie", "médicaments", "acide", "deux personnes")
    service_numbers.note_site(site, draft, scene.now, "office")
    Site.objects.update(postal_code="4000")
    page = act(desk, verified, "service", service="police")
    assert 'lang="fr"' in page
    assert "Français" in page
    for words in ("pharmacie", "médicaments", "acide", "deux personnes", "Achterdeur via de poort"):
        assert words in page
    assert ">Call <kbd>" in page or "Call <kbd>D" in page


@pytest.mark.clause("B1")
def test_d_dials_the_number_of_the_zone_and_one_says_accepted(
    scene: Scene, desk: Client, verified: Incident, pbx: WayOut, peer: Exchange
) -> None:
    service_numbers.enter(
        scene.providers["securitas"],
        ServiceNumberDraft("police", "lokale politie Gent", "09 266 61 11", "nl"),
        scene.now - timedelta(days=1), "office",
    )  # fmt: skip
    page = act(desk, verified, "service", service="police")
    assert "09 266 61 11" in page
    assert "national number" not in page
    page = act(desk, verified, "service-call", service="police")
    assert "called at" in page
    assert peer.asked[-1].path.startswith("/o/201/+3292666111/")
    act(desk, verified, "service", service="police", confirm="1", attends="Sofie Van Damme",
        reference="GE-771", taken_by="Maes")  # fmt: skip
    (entry,) = Entry.objects.filter(what="service.accepted")
    assert (entry.clause, entry.data) == ("B1", {"reference": "GE-771", "by": "Maes"})
    page = page_of(desk, verified)
    assert "Police took it on: Maes, GE-771" in page


@pytest.mark.clause("B1")
def test_a_site_without_a_zone_gets_the_national_number_with_a_note(
    desk: Client, verified: Incident
) -> None:
    page = act(desk, verified, "service", service="police")
    assert '<p class="dial">101' in page
    assert "The national number: the site’s zone has none of its own." in page


@pytest.mark.clause("M3.1")
def test_nothing_is_accepted_without_who_attends_or_nobody(
    desk: Client, verified: Incident
) -> None:
    page = act(desk, verified, "service", service="police", confirm="1", attends=" ")
    assert "A service was asked: who attends, and when?" in page
    assert "call sheet" in page
    # what is missing may lie below on a small screen: it is gone to
    assert re.search(r'<input id="attends"[^>]* autofocus', page)
    assert not Entry.objects.filter(what="police.requested").exists()
    act(desk, verified, "service", service="police", confirm="1", attends="nobody")
    assert Entry.objects.filter(what="police.requested").count() == 1
    assert Entry.objects.get(what="service.attended").clause == "M3.1"


@pytest.mark.clause("S15.3", "B1")
def test_before_it_may_be_asked_no_number_is_dialled(desk: Client, taken: Incident) -> None:
    page = act(desk, taken, "service-call", service="police")
    assert "S15.3" in page
    assert not Entry.objects.filter(what="service.dialled").exists()
    act(desk, taken, "service-call", service="coastguard")
    assert not Entry.objects.filter(what="service.dialled").exists()


@pytest.mark.clause("B1")
def test_the_sheet_is_at_hand_afterwards_and_can_be_printed(
    desk: Client, verified: Incident
) -> None:
    act(desk, verified, "service", service="police", confirm="1", attends="Sofie")
    assert 'data-key="s"' in page_of(desk, verified)
    sheet = desk.get(f"/incident/{verified.pk}/?work=request:police", headers={"HX-Request": "1"})
    assert b"taken on" in sheet.content
    paper = desk.get(f"/incident/{verified.pk}/sheet/police/")
    assert paper.status_code == 200
    words = paper.content.decode()
    assert '<html lang="nl"' in words
    assert "zone 3 Achterdeur magazijn" in words
    assert "Apotheek Van Damme" in words
    assert CODE not in words
    assert desk.get(f"/incident/{verified.pk}/sheet/coastguard/").status_code == 404
    assert desk.get(f"/incident/{verified.pk}/?work=request:junk").status_code == 200


@pytest.mark.clause("B1")
def test_by_wire_instead_of_the_call_only_where_the_terms_say_so_and_somebody_takes_it(
    scene: Scene, desk: Client, site: Site, taken: Incident
) -> None:
    for_real(scene)
    instead = varied("securitas-2022-05", {"services.electronic": "instead"})
    scene.providers["securitas"].terms = instead
    scene.providers["securitas"].save()
    scene.signal(site, zone="5", at=scene.now + timedelta(seconds=20))
    consult(desk, taken, site)
    assert "Hand over by wire" not in act(desk, taken, "service", service="police")
    settings = {"url": "https://pz.example/cap", "sender": "centre@example.be", "recipient": "pz"}
    way_commands.add("cap", "Police by wire", scene.now, settings_given=settings)
    page = act(desk, taken, "service", service="police")
    assert "Hand over by wire" in page
    assert 'value="wire"' in page
    act(desk, taken, "service", service="police", confirm="wire", attends="nobody")
    assert OutboxMessage.objects.filter(channel="authority").count() == 1
    assert Entry.objects.filter(what="police.requested").count() == 1
    # their machine's answer is the acceptance, not our sending
    assert not Entry.objects.filter(what="service.accepted").exists()


def test_a_sheet_of_another_provider_does_not_exist(scene: Scene, desk: Client) -> None:
    incident = burglary(scene, scene.site("Geheime Klant", "dtral"))
    assert desk.get(f"/incident/{incident.pk}/sheet/police/").status_code == 404


# --- calls that come in


@pytest.fixture
def line(scene: Scene) -> WayOut:
    return WayOut.objects.create(channel="desk", kind="pbx_http", name="Exchange")


def ring(line: WayOut, caller: str, ref: str = "c-1", **more: Any) -> IncomingCall:
    return answering.tell(
        line, ref, "ringing", datetime.now(UTC), caller=caller, called="+3222630000", **more
    )


def queue_of(desk: Client) -> str:
    return desk.get("/queue/").content.decode()


@pytest.mark.clause("S19.1")
def test_a_banner_says_who_it_may_be_and_that_it_proves_nothing(
    desk: Client, site: Site, line: WayOut
) -> None:
    ring(line, "0475 00 12 36")
    banner = queue_of(desk).split('id="calls"')[1]
    for words in ("0475 00 12 36", "perhaps", "Sofie Van Damme, Apotheek Van Damme", "unproven",
                  "S19.1", "F2"):  # fmt: skip
        assert words in banner
    for secret in ("poort in de zijstraat", "4471", "+32475001238", CODE):
        assert secret not in banner


def test_an_unknown_number_and_a_withheld_one_say_so(
    desk: Client, site: Site, line: WayOut
) -> None:
    ring(line, "0475 99 88 77")
    assert "number not known" in queue_of(desk)
    ring(line, "anonymous", "c-2")
    assert "number withheld" in queue_of(desk)


@pytest.mark.clause("S19.1")
def test_answering_opens_the_record_by_name_alone(
    scene: Scene, desk: Client, site: Site, line: WayOut
) -> None:
    row = ring(line, "0475 00 12 36")
    page = desk.post(f"/calls/{row.pk}/take/", headers={"HX-Request": "true"}).content.decode()
    assert "Apotheek Van Damme" in page
    assert "It proves nothing: name and code first." in page
    assert 'value="+32475001236"' in page
    assert "selected>Sofie Van Damme" in page
    for secret in ("poort in de zijstraat", "4471", "0475 00 12 38", "09 221 00 17"):
        assert secret not in page
    jan = logged_in(scene.staff("jan"))
    assert "0475 00 12 36" not in queue_of(jan)
    late = jan.post(f"/calls/{row.pk}/take/", headers={"HX-Request": "true"}).content.decode()
    assert "Eva Maes answers this call." in late


@pytest.mark.clause("S19.1")
def test_wrong_codes_of_a_call_lock_its_number(desk: Client, site: Site, line: WayOut) -> None:
    row = ring(line, "0475 00 12 36")
    desk.post(f"/calls/{row.pk}/take/", headers={"HX-Request": "true"})
    person = f"c{site.contacts.get(position=1).pk}"
    sent = {"person": person, "code": "999999", "says": "false_alarm", "number": "+32475001236"}
    for _ in range(3):
        desk.post(f"/caller/{site.pk}/says/", sent)
    assert CallerTries.objects.get(number="+32475001236").locked_until is not None
    row.refresh_from_db()
    assert row.site_id == site.pk
    assert Entry.objects.get(what="call.opened_record").clause == "S19.1"


def test_several_sites_are_chosen_from(
    scene: Scene, desk: Client, site: Site, line: WayOut
) -> None:
    other = scene.site("Drogist Maes")
    row = ring(line, "0475 00 12 36")
    assert "Drogist Maes" in queue_of(desk)
    page = desk.post(f"/calls/{row.pk}/take/", headers={"HX-Request": "true"}).content.decode()
    assert f"/caller/{site.pk}/" in page
    assert f"/caller/{other.pk}/" in page
    assert "poort in de zijstraat" not in page


def test_a_call_of_another_provider_is_not_seen(scene: Scene, desk: Client, line: WayOut) -> None:
    row = ring(line, "0475 00 12 36")
    scene.providers["dtral"].emergency_phone = "+3292660000"
    scene.providers["dtral"].save()
    theirs = logged_in(scene.staff("tom", providers=("dtral",)))
    assert "0475 00 12 36" not in queue_of(theirs)
    answer = theirs.post(f"/calls/{row.pk}/take/", headers={"HX-Request": "true"})
    assert "It belongs to a provider you do not work for." in answer.content.decode()


def test_a_missed_call_stands_on_the_list(
    scene: Scene, desk: Client, site: Site, line: WayOut
) -> None:
    ring(line, "0475 00 12 36")
    answering.tell(line, "c-1", "ended", datetime.now(UTC))
    sam = logged_in(scene.staff("sam", "supervisor"))
    words = sam.get("/lists/notices/").content.decode()
    assert "a call that nobody took: call back" in words
    assert "Sofie Van Damme" in words


def test_no_call_costs_one_question(scene: Scene, desk: Client, site: Site) -> None:
    assert '<div class="calls" id="calls"' in queue_of(desk)
    assert "unproven" not in queue_of(desk)
