"""Section 6 by the addresses of the desk: tasks, tests, interruptions, incidents by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from django.test import Client

from meldkamer.contracts import commands as contracts
from meldkamer.contracts import interruptions, needless, tasks
from meldkamer.contracts.models import Interruption, Task, TestMode
from meldkamer.incidents.deciding.facts import terms_of
from meldkamer.incidents.models import Incident
from meldkamer.journal.models import Entry
from meldkamer.people.models import Staff
from meldkamer.sites.models import Site
from tests.console.scene import CODE, Scene
from tests.console.test_access import logged_in

FIRST = f"1{CODE[1:]}"


@pytest.fixture
def site(scene: Scene) -> Site:
    return scene.site()


@pytest.fixture
def task(scene: Scene, site: Site) -> Task:
    terms, now = terms_of(site), datetime.now(UTC)
    for number in range(terms.needless.suspend_at):
        needless.count(site, 900_000 + number, "intrusion", terms, now)
    with transaction.atomic():
        found = tasks.open_task(site, tasks.SUSPENSION_CALL, "S12.2", "operators", 3600, {}, now)
    assert found is not None
    return found


def post(desk: Client, address: str, **fields: object) -> str:
    answer = desk.post(address, fields)
    assert answer.status_code == 200, answer.content[:300]
    return answer.content.decode()


@pytest.mark.clause("S12.2", "S19.1")
def test_the_call_before_a_suspension_is_made_and_told(desk: Client, task: Task) -> None:
    assert "To do: 1" in desk.get("/").content.decode()
    key = f"c{task.site.contacts.get(position=1).pk}"
    assert "Nobody was called yet." in post(desk, f"/tasks/{task.pk}/result/", result="told")
    post(desk, f"/tasks/{task.pk}/dial/", to=key)
    assert "2 tries left" in post(desk, f"/tasks/{task.pk}/code/", code="000000")
    assert "Name and code fit." in post(desk, f"/tasks/{task.pk}/code/", code=FIRST)
    assert "the suspension has begun" in post(desk, f"/tasks/{task.pk}/result/", result="told")
    row = Interruption.objects.get()
    assert (row.types, row.clause) == (["intrusion"], "S12.2")
    assert FIRST not in str(list(Entry.objects.values_list("data", flat=True)))


@pytest.mark.clause("S12.2", "S19.1")
def test_without_a_right_code_nothing_is_told(desk: Client, task: Task) -> None:
    key = f"c{task.site.contacts.get(position=1).pk}"
    post(desk, f"/tasks/{task.pk}/dial/", to=key)
    assert "Not told." in post(desk, f"/tasks/{task.pk}/result/", result="told")
    assert not Interruption.objects.exists()


def test_a_task_of_another_provider_does_not_exist(scene: Scene, task: Task) -> None:
    other = logged_in(scene.staff("dora", providers=("dtral",)))
    for address in (f"/tasks/{task.pk}/", f"/tests/{task.pk}/"):
        assert other.get(address).status_code == 404
    assert other.post(f"/tasks/{task.pk}/dial/").status_code == 404
    assert Staff.objects.filter(username="dora").exists()


@pytest.mark.clause("S20.1")
def test_a_caller_starts_a_test_of_zones_and_types(desk: Client, site: Site) -> None:
    person = f"c{site.contacts.get(position=1).pk}"
    fields = {"person": person, "code": FIRST, "says": "start_test", "hours": "3"}
    told = post(desk, f"/caller/{site.pk}/says/", **fields, zones="3, 99")
    assert "99 is not on the sheet. There are: 1, 3, 5, 7." in told
    post(desk, f"/caller/{site.pk}/says/", **fields, zones="3 5", types=["battery"], reason="works")
    test = TestMode.objects.get()
    assert (test.zones, test.types, test.reason) == (["3", "5"], ["battery"], "works")
    listed = desk.get("/lists/tests/").content.decode()
    assert "z3, z5, " in listed
    assert "S20.1" in listed


@pytest.mark.clause("S20.1")
def test_the_signals_of_a_test_and_its_summary(desk: Client, scene: Scene, site: Site) -> None:
    from meldkamer.incidents.service import testing

    now = datetime.now(UTC)
    test = contracts.start_test(
        site, now + timedelta(hours=1), now - timedelta(minutes=1), by="An", reason="works"
    )
    scene.signal(site, at=now)
    assert "Achterdeur magazijn" in desk.get(f"/tests/{test.pk}/").content.decode()
    testing.end_test(test, now, by="An")
    assert "not restored: Burglary z3" in desk.get("/lists/tests/").content.decode()
    assert "The test has ended." in desk.get(f"/tests/{test.pk}/").content.decode()


@pytest.mark.clause("D908.1")
def test_an_interruption_is_seen_by_its_cause(desk: Client, site: Site) -> None:
    now = datetime.now(UTC)
    interruptions.interrupt(site, "broken", "cable cut", terms_of(site), now, actor="staff:1")
    for address in ("/lists/interrupted/", f"/site/{site.pk}/"):
        page = desk.get(address, headers={"HX-Request": "true"}).content.decode()
        assert "transmission is broken" in page
        assert "D908.1" in page


@pytest.mark.clause("S24.1")
def test_an_incident_by_hand_needs_a_reason_and_names_who_called(desk: Client, site: Site) -> None:
    told = post(desk, f"/caller/{site.pk}/open/", type="fire", reason=" ", caller="An Peeters")
    assert "Opening by hand has a reason." in told
    post(desk, f"/caller/{site.pk}/open/", type="fire", reason="smoke", caller="An Peeters")
    assert Incident.objects.get().verified_by == "person"
    verified = Entry.objects.get(what="incident.verified")
    assert "An Peeters" in str(verified.data)
    assert Entry.objects.get(what="incident.opened").clause == "S24.1"
