"""The patrol's page over HTTP: who is let in, what is shown and when, what is taken (S6.1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import BytesIO
from uuid import uuid4

import pytest
from axes.models import AccessAttempt
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from meldkamer.incidents import commands
from meldkamer.journal.models import Entry
from meldkamer.notify.models import PatrolAccess, PatrolEntry, PatrolJob, PatrolPhoto, PatrolUnit
from meldkamer.notify.patrol import commands as patrols
from meldkamer.sites.models import Provider
from tests.portal.patrol.scene import GATE, Night, says

PHOTO = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xda\x00\x02pixels\xff\xd9"


@pytest.fixture
def night(db: None) -> Night:
    return Night()


@pytest.fixture
def phone(night: Night, client: Client) -> Client:
    return night.phone(client)


def read(phone: Client, address: str = "/patrol/") -> str:
    return phone.get(address).content.decode()


def test_without_link_and_pin_nothing_is_shown(night: Night, client: Client) -> None:
    night.offer()
    assert client.get("/patrol/").headers["Location"] == "/patrol/enter/"
    for address in ("/patrol/say/", "/patrol/codes/", "/patrol/here/"):
        answer = client.post(address, headers={"X-Requested-With": "patrol"})
        assert answer.status_code == 401
    assert client.get("/patrol/news/", headers={"X-Requested-With": "patrol"}).status_code == 401


def test_a_wrong_pin_is_refused_and_five_from_one_place_wait(night: Night, client: Client) -> None:
    issued = patrols.issue(night.unit.pk, night.now, "staff:1")
    wrong = "000000" if issued.pin != "000000" else "111111"
    sent = {"token": issued.token, "pin": wrong}
    tries = [client.post("/patrol/enter/", sent).status_code for _ in range(5)]
    assert tries == [403, 403, 403, 403, 429]
    answer = client.post("/patrol/enter/", {"token": issued.token, "pin": issued.pin})
    assert answer.status_code == 429
    # what counts the tries writes down neither link nor PIN
    counted = AccessAttempt.objects.get()
    assert issued.token not in f"{counted.post_data}{counted.get_data}{counted.path_info}"
    assert wrong not in counted.post_data
    assert client.get("/patrol/").status_code == 302


def test_a_pin_may_be_typed_in_two_groups_as_the_office_shows_it(
    night: Night, client: Client
) -> None:
    issued = patrols.issue(night.unit.pk, night.now, "staff:1")
    sent = {"token": issued.token, "pin": f"{issued.pin[:3]} {issued.pin[3:]}"}
    assert client.post("/patrol/enter/", sent).status_code == 302


def test_ten_wrong_pins_from_anywhere_void_the_link(night: Night, client: Client) -> None:
    issued = patrols.issue(night.unit.pk, night.now, "staff:1")
    wrong = "000000" if issued.pin != "000000" else "111111"
    for number in range(10):
        client.post(
            "/patrol/enter/", {"token": issued.token, "pin": wrong},
            REMOTE_ADDR=f"192.0.2.{number}",
        )  # fmt: skip
    right = {"token": issued.token, "pin": issued.pin}
    assert client.post("/patrol/enter/", right, REMOTE_ADDR="192.0.2.99").status_code == 403
    assert PatrolAccess.objects.get().voided_at is not None
    told = Entry.objects.get(what="patrol.access_voided")
    assert (told.clause, told.reason) == ("S6.1", "too many wrong PINs")


def test_link_and_pin_are_kept_as_hashes_and_told_to_nobody(night: Night) -> None:
    issued = patrols.issue(night.unit.pk, night.now, "staff:1")
    row = PatrolAccess.objects.get()
    assert issued.pin not in row.pin
    assert issued.token.encode() not in bytes(row.token_mac)
    for entry in Entry.objects.all():
        assert issued.token not in f"{entry.data}{entry.reason}"
        assert issued.pin not in f"{entry.data}{entry.reason}"


def test_a_voided_access_ends_the_sessions_it_opened(night: Night, phone: Client) -> None:
    assert phone.get("/patrol/").status_code == 200
    patrols.void(night.unit.pk, night.now, "staff:1")
    assert phone.get("/patrol/").status_code == 302


@pytest.mark.clause("S6.1")
def test_the_job_is_shown_with_what_a_unit_has_to_know(night: Night, phone: Client) -> None:
    assert "Geen opdracht" in read(phone)
    commands.dial(night.eva, night.incident.pk, "call:premises", night.now)
    commands.call_result(night.eva, night.incident.pk, "call:premises", "no_answer", "", night.now)
    first = night.site.contacts.get(position=1)
    commands.dial(night.eva, night.incident.pk, f"call:c{first.pk}", night.now)
    commands.call_result(
        night.eva, night.incident.pk, f"call:c{first.pk}", "reached", "coming", night.now,
        identity="right", person=first.name,
    )  # fmt: skip
    night.offer()
    page = read(phone)
    for words in (
        "Inbraak", "Apotheek Van Damme", "Kortrijksesteenweg 214", "9000 Gent", "geverifieerd",
        'href="tel:+3222630000"', "geo:51.040600,3.717200", "3 Achterdeur magazijn",
        "5 PIR magazijn", "Sofie Van Damme", "0475 00 12 36", "Achterdeur via de poort",
        "Nr. 4471", "Ga niet alleen naar binnen", 'data-stage="offered"',
    ):  # fmt: skip
        assert words in page, words
    # who does not come, and what opens the gate, is not on the page
    assert "Pieter Claes" not in page
    assert GATE not in page


@pytest.mark.clause("S6.1")
def test_a_job_from_accepting_to_done(night: Night, phone: Client) -> None:
    job = night.offer()
    assert says(phone, job, "accept").json()["refused"] == ""
    assert 'data-stage="accepted"' in read(phone, "/patrol/news/")
    assert phone.post("/patrol/codes/").status_code == 409
    assert says(phone, job, "arrived").json()["refused"] == ""
    codes = phone.post("/patrol/codes/")
    assert codes.json()["codes"] == [{"kind": "Poortcode", "code": GATE}]
    assert "no-store" in codes.headers["Cache-Control"]
    assert GATE not in read(phone)
    answer = says(phone, job, "finding", finding="traces", note="slot uit de deur")
    assert answer.json()["refused"] == ""
    assert 'data-stage="found"' in read(phone)
    assert says(phone, job, "done").json()["refused"] == ""
    assert phone.post("/patrol/codes/").status_code == 409
    assert "Geen opdracht" in read(phone)
    job.refresh_from_db()
    assert (job.state, job.finding) == ("done", "traces")
    words = list(
        Entry.objects.filter(what__startswith="patrol.", incident_id=night.incident.pk)
        .order_by("id")
        .values_list("what", flat=True)
    )
    assert words == [
        "patrol.offered", "patrol.sent", "patrol.arrived", "patrol.codes_shown", "patrol.found",
        "patrol.done",
    ]  # fmt: skip


@pytest.mark.clause("M12.1")
def test_the_same_entry_sent_again_is_stored_once(night: Night, phone: Client) -> None:
    job, number = night.offer(), str(uuid4())
    first = says(phone, job, "accept", id=number).json()
    again = says(phone, job, "accept", id=number).json()
    assert first == again == {"stored": number, "refused": ""}
    assert PatrolEntry.objects.count() == 1


def test_what_came_too_late_is_answered_with_why(night: Night, phone: Client) -> None:
    other = night.another("R7", 51.2)
    job = night.offer()
    row = PatrolJob.objects.get()
    from meldkamer.agenda.models import AgendaRow
    from meldkamer.incidents.operating import dispatching

    agenda_row = AgendaRow.objects.get(kind=dispatching.OFFER_END, done_at=None)
    dispatching.offer_end(agenda_row, row.answer_by + timedelta(seconds=1))
    answer = says(phone, job, "accept").json()
    assert answer["refused"] == "Te laat: een andere eenheid werd gevraagd. R7 gaat."
    other.refresh_from_db()
    assert other.state == "offered"


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"id": "7"}, "geen nummer"), ({"job": "x"}, "geen opdracht van u"),
        ({"job": "999999"}, "geen opdracht van u"), ({"kind": "shoot"}, "verouderd"),
        ({"kind": "finding", "finding": "ghosts"}, "Kies wat u ziet"),
        ({"kind": "finding", "finding": "open", "note": "x" * 1001}, "te lang"),
        ({"kind": "cannot", "reason": ""}, "waarom"),
    ],
)  # fmt: skip
def test_bad_entries_are_named_and_nothing_is_stored(
    night: Night, phone: Client, sent: dict[str, str], words: str
) -> None:
    answer = says(phone, night.offer(), sent.get("kind", "accept"), **sent)
    assert answer.status_code == 400
    assert words.lower() in answer.json()["words"].lower()
    assert not PatrolEntry.objects.exists()


def test_a_nul_character_is_refused(night: Night, phone: Client) -> None:
    answer = says(phone, night.offer(), "cannot", reason="other", note="a\x00b")
    assert answer.status_code == 400
    assert not PatrolEntry.objects.exists()


def test_a_clock_that_is_years_off_is_not_kept(night: Night, phone: Client) -> None:
    job = night.offer()
    says(phone, job, "accept", said_at="1999-01-01T00:00:00+00:00")
    says(phone, job, "arrived", said_at="yesterday")
    assert list(PatrolEntry.objects.values_list("said_at", flat=True)) == [None, None]


def test_photos_are_taken_by_what_they_are(night: Night, phone: Client) -> None:
    job = night.offer()
    says(phone, job, "accept")
    says(phone, job, "arrived")
    for content, words in (
        (b"<html>", "geen foto"), (b"", "leeg"), (PHOTO[:12], "afgebroken"),
        (b"\xff\xd8\xff" + b"0" * (8 * 1024 * 1024), "te groot"),
    ):  # fmt: skip
        sent = SimpleUploadedFile("x.jpg", content, "image/jpeg")
        answer = says(phone, job, "photo", photo=sent)
        assert answer.status_code == 400, words
        assert words in answer.json()["words"]
    assert says(phone, job, "photo", photo=BytesIO(PHOTO)).json()["refused"] == ""
    row = PatrolPhoto.objects.get()
    shown = phone.get(f"/patrol/photo/{row.pk}/")
    assert shown.headers["Content-Type"] == "image/jpeg"
    assert "no-store" in shown.headers["Cache-Control"]


def test_another_unit_sees_neither_job_nor_photo(night: Night, phone: Client) -> None:
    job = night.offer()
    says(phone, job, "accept")
    says(phone, job, "arrived")
    says(phone, job, "photo", photo=BytesIO(PHOTO))
    stranger = night.phone(Client(), night.another("R7", 51.2))
    assert "Apotheek" not in read(stranger)
    assert says(stranger, job, "done").status_code == 400
    assert stranger.get(f"/patrol/photo/{PatrolPhoto.objects.get().pk}/").status_code == 404
    assert stranger.post("/patrol/codes/").status_code == 409


def test_a_place_is_kept_on_shift_alone_and_the_latest_alone(night: Night, phone: Client) -> None:
    assert phone.post("/patrol/here/", {"lat": "51.05", "lon": "3.72"}).status_code == 200
    night.unit.refresh_from_db()
    assert (night.unit.latitude, night.unit.longitude) == (51.05, 3.72)
    for lat, lon in (("x", "3"), ("91", "3"), ("51", "181"), ("nan", "3")):
        assert phone.post("/patrol/here/", {"lat": lat, "lon": lon}).status_code == 400
    yesterday = datetime.now(UTC) - timedelta(days=1)
    over = {"from": (yesterday - timedelta(hours=1)).isoformat(), "until": yesterday.isoformat()}
    PatrolUnit.objects.filter(pk=night.unit.pk).update(shifts=[over])
    assert phone.post("/patrol/here/", {"lat": "50.0", "lon": "4.0"}).status_code == 409
    night.unit.refresh_from_db()
    assert night.unit.latitude == 51.05
    assert "Buiten uw dienst" in read(phone)


@pytest.mark.clause("S6.1")
def test_who_ends_on_his_phone_is_not_asked_until_he_begins_again(
    night: Night, phone: Client
) -> None:
    assert phone.post("/patrol/leave/").status_code == 302
    assert phone.get("/patrol/").status_code == 302
    night.unit.refresh_from_db()
    assert night.unit.state == "off"
    night.phone(phone)
    night.unit.refresh_from_db()
    assert night.unit.state == "free"
    # a job that runs is not left behind
    says(phone, night.offer(), "accept")
    phone.post("/patrol/leave/")
    night.unit.refresh_from_db()
    assert night.unit.state == "sent"
    [*_, left] = Entry.objects.filter(what="patrol.page_left").order_by("id")
    assert (left.clause, left.data["off"]) == ("S6.1", False)


def test_practice_is_shown_as_practice(night: Night, phone: Client) -> None:
    Provider.objects.update(practice=False)
    assert "banner practice" not in read(phone)
    Provider.objects.update(practice=True)
    assert "banner practice" in read(phone)


def test_nothing_new_is_no_answer(night: Night, phone: Client) -> None:
    version = phone.get("/patrol/news/").headers["X-Version"]
    assert phone.get(f"/patrol/news/?version={version}").status_code == 204
    night.offer()
    assert phone.get(f"/patrol/news/?version={version}").status_code == 200


def test_staff_are_no_patrol_and_a_patrol_is_no_staff(night: Night, phone: Client) -> None:
    for address in ("/", "/office/", "/lists/patrols/", f"/incident/{night.incident.pk}/"):
        assert phone.get(address).status_code == 302
    desk = Client()
    desk.force_login(night.eva, backend="django.contrib.auth.backends.ModelBackend")
    assert desk.get("/patrol/").headers["Location"] == "/patrol/enter/"


@pytest.mark.clause("M12.4")
@pytest.mark.parametrize(
    ("language", "words"),
    [("nl", "Ik ga"), ("fr", "J’y vais"), ("de", "Ich fahre"), ("en", "I go")],
)
def test_the_page_speaks_the_units_language(
    night: Night, client: Client, language: str, words: str
) -> None:
    PatrolUnit.objects.filter(pk=night.unit.pk).update(language=language)
    night.offer()
    assert words in read(night.phone(client))
