"""The wallboard: what waits, how soon it was taken up, who is there, the ways out (S15.1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from meldkamer.console.screens import wallboard
from meldkamer.incidents import board_queries
from meldkamer.incidents.models import HouseCheck, Incident
from meldkamer.notify.models import OutboxMessage, WayOut
from meldkamer.people import commands as people
from meldkamer.people.models import Staff
from meldkamer.sites.models import Provider
from tests.console.scene import Scene, burglary

WALL = "/wallboard/"


@pytest.fixture(autouse=True)
def fresh() -> None:
    wallboard._taken.cache_clear()


def text(desk: Client, address: str = f"{WALL}now/") -> str:
    answer = desk.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def carrier(name: str, state: str = "up", **more: object) -> WayOut:
    values: dict[str, object] = {
        "channel": "sms", "kind": "smpp", "state": state, "beat_at": datetime.now(UTC),
        "since": datetime.now(UTC), **more,
    }  # fmt: skip
    return WayOut.objects.create(name=name, **values)


@pytest.mark.clause("S15.1")
def test_each_class_shows_what_is_free_in_hand_and_the_oldest_against_its_norm(
    scene: Scene, desk: Client
) -> None:
    first, second = burglary(scene, scene.site("Garage Lambert")), burglary(scene, scene.site("B"))
    Incident.objects.filter(pk=first.pk).update(queued_at=scene.now - timedelta(seconds=100))
    Incident.objects.filter(pk=second.pk).update(
        state="taken", holder=Staff.objects.get(username="eva"), taken_at=scene.now,
        first_taken_at=scene.now,
    )  # fmt: skip
    board = wallboard.board(
        (scene.providers["securitas"],), scene.now, wallboard.ZoneInfo("Europe/Brussels")
    )
    tile = board.tiles[0]
    assert (tile.klass, tile.free, tile.busy, tile.sla) == ("security", 1, 1, "warn")
    assert tile.where == "Garage Lambert, Gent"
    assert tile.dots == ((147, "warn"),)
    assert [(one.free, one.busy) for one in board.tiles[1:]] == [(0, 0)] * 4
    page = text(desk)
    assert "oldest · Garage Lambert, Gent" in page
    assert 'class="oldest age warn"' in page


def test_the_oldest_against_its_own_norm_is_shown_before_an_older_one_in_time(
    scene: Scene, desk: Client
) -> None:
    fire = burglary(scene, scene.site("Fire"))
    other = burglary(scene, scene.site("Burglary"))
    Incident.objects.filter(pk=fire.pk).update(
        type="holdup", queued_at=scene.now - timedelta(seconds=70)
    )
    Incident.objects.filter(pk=other.pk).update(queued_at=scene.now - timedelta(seconds=80))
    board = wallboard.board(
        (scene.providers["securitas"],), scene.now, wallboard.ZoneInfo("Europe/Brussels")
    )
    assert (board.tiles[0].where, board.tiles[0].sla) == ("Fire, Gent", "late")


@pytest.mark.clause("M12.1")
def test_the_ways_out_are_shown_with_what_fails_and_what_waits(scene: Scene, desk: Client) -> None:
    Provider.objects.update(practice=False)
    carrier("A")
    carrier("B", "down", channel="mail", kind="smtp", last_fault="550")
    OutboxMessage.objects.create(
        channel="voice", template="x", address="x", recipient="x", language="nl", clause="S16.2",
        body="x", created_at=scene.now, provider_id=scene.providers["securitas"].pk,
    )  # fmt: skip
    page = text(desk)
    assert "Texts A" in page
    assert "Mail B" in page
    assert "down " in page
    assert "Announced calls" in page
    assert "no carrier" in page
    assert "banner practice" not in text(desk, WALL)


def test_practice_stands_on_the_wall_and_names_whose_it_is(scene: Scene, desk: Client) -> None:
    assert "banner practice" in text(desk, WALL)
    Provider.objects.update(practice=False)
    assert "banner practice" not in text(desk, WALL)
    WayOut.objects.create(channel="sms", kind="sandbox", name="sandbox")
    page = text(desk, WALL)
    assert "banner practice" in page
    assert "Securitas (Texts)" in page
    assert "D’Tral" not in page


def test_how_soon_it_was_taken_up_is_told_against_the_goal(scene: Scene, desk: Client) -> None:
    for number, waited_s in enumerate((10, 20, 80, 100, 400)):
        incident = burglary(scene, scene.site(f"Site {number}"))
        opened = scene.now - timedelta(minutes=20)
        Incident.objects.filter(pk=incident.pk).update(
            opened_at=opened, queued_at=opened, first_taken_at=opened + timedelta(seconds=waited_s)
        )
    board = wallboard.board(
        (scene.providers["securitas"],), scene.now, wallboard.ZoneInfo("Europe/Brussels")
    )
    shares = {(c.what, c.within_s): (c.share, c.reached) for c in board.charts}
    assert shares == {
        ("Hold-up and fire", 30): ("", True),
        ("Hold-up and fire", 60): ("", True),
        ("Others", 90): ("60.0", False),
        ("Others", 180): ("80.0", False),
    }
    [today] = board.charts[2].columns
    assert today.under
    page = text(desk)
    assert "60.0 %" in page
    assert "under the goal" in page
    assert "nothing was taken up in these days" in page


def test_who_is_at_a_desk_and_what_he_has(scene: Scene, desk: Client, operator: Staff) -> None:
    assert "Nobody is at a desk." in text(desk)
    people.sign_of_life(operator, datetime.now(UTC))
    incident = burglary(scene, scene.site("Apotheek"))
    Incident.objects.filter(pk=incident.pk).update(
        state="taken", holder=operator, taken_at=scene.now, first_taken_at=scene.now
    )
    page = text(desk)
    assert "E. Maes" in page
    assert "Burglary, Gent" in page


def test_nothing_of_another_provider_is_on_the_wall(scene: Scene, desk: Client) -> None:
    burglary(scene, scene.site("Their site", "dtral"))
    WayOut.objects.create(
        channel="sms", kind="smpp", name="Their carrier",
        provider_id=scene.providers["dtral"].pk, state="down",
    )  # fmt: skip
    page = text(desk, WALL)
    assert "Their" not in page


def test_a_broken_rule_of_the_house_stands_there_with_its_count(scene: Scene, desk: Client) -> None:
    assert "1 of 1 rules hold" in text(desk)
    HouseCheck.objects.update(broken_since=scene.now, count=3)
    page = text(desk)
    assert "1 of 1 rules do not hold" in page
    assert ">3<" in page


def test_who_is_not_logged_in_sees_no_wall(client: Client, db: None) -> None:
    assert client.get(WALL).status_code == 302
    assert client.get(f"{WALL}now/").status_code == 302


def test_the_wall_costs_the_same_for_many(scene: Scene, desk: Client) -> None:
    burglary(scene, scene.site("One"))
    text(desk)
    wallboard._taken.cache_clear()
    with CaptureQueriesContext(connection) as few:
        text(desk)
    for number in range(10):
        burglary(scene, scene.site(f"Site {number}"))
        carrier(f"carrier {number}")
    wallboard._taken.cache_clear()
    with CaptureQueriesContext(connection) as many:
        text(desk)
    assert len(many) == len(few) <= 30


def test_exercises_do_not_count_among_real_alarms(scene: Scene, desk: Client) -> None:
    Provider.objects.filter(slug="securitas").update(practice=False)
    both = tuple(Provider.objects.order_by("pk"))
    exercise = burglary(scene, scene.site("Oefensite", "dtral"))
    opened = scene.now - timedelta(minutes=20)
    Incident.objects.filter(pk=exercise.pk).update(
        opened_at=opened, queued_at=opened, first_taken_at=opened + timedelta(seconds=500)
    )
    zone = wallboard.ZoneInfo("Europe/Brussels")
    assert [chart.share for chart in wallboard.board(both, scene.now, zone).charts] == [""] * 4
    only = tuple(one for one in both if one.practice)
    shares = [chart.share for chart in wallboard.board(only, scene.now, zone).charts]
    assert shares == ["", "", "0.0", "0.0"]


@pytest.mark.clause("M12.4")
def test_figures_are_written_as_the_language_writes_them(scene: Scene, desk: Client) -> None:
    assert "98.5 %" in text(desk)
    desk.cookies["meldkamer_language"] = "nl"
    assert "98,5 %" in text(desk)


def _came(scene: Scene, count: int, s_ago: float, origin: str = "frame") -> None:
    at = scene.now - timedelta(seconds=s_ago)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO journal_signal (received_at, origin, code, role, type)"
            " SELECT %s, %s, 'BA', 'event', 'intrusion' FROM generate_series(1, %s)",
            [at, origin, count],
        )


def test_how_many_signals_come_in_is_told_of_the_last_minute(scene: Scene, desk: Client) -> None:
    assert "0.0 signals/s" in text(desk)
    _came(scene, 90, 61)
    _came(scene, 468, 30)
    _came(scene, 600, 20, origin="watch")
    assert round(board_queries.traffic(scene.now).per_second, 2) == 7.8
    desk.cookies["meldkamer_language"] = "nl"
    assert " signalen/s" in text(desk)


def test_a_storm_is_reckoned_from_its_newest_signals_alone(scene: Scene) -> None:
    _came(scene, 5_000, 50)
    _came(scene, 2_000, 0.5)
    assert board_queries.traffic(scene.now).per_second == 4_000
