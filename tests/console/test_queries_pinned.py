"""How many queries a screen costs; the number does not grow with the rows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from meldkamer.console.screens import ways
from tests.console.scene import Scene, burglary

MOST = {"queue": 18, "incident": 44, "desk": 60}


def queries(desk: Client, address: str, fragment: bool = True) -> int:
    headers = {"HX-Request": "true"} if fragment else {}
    ways._read.cache_clear()  # it is read every two seconds: here each time
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert desk.get(address, headers=headers).status_code == 200
    return len(captured)


@pytest.mark.parametrize("rows", [1, 12])
def test_the_queue(scene: Scene, desk: Client, rows: int) -> None:
    for number in range(rows):
        burglary(scene, scene.site(f"Site {number}"))
    assert queries(desk, "/queue/") <= MOST["queue"]


def test_the_queue_costs_the_same_for_many(scene: Scene, desk: Client) -> None:
    burglary(scene, scene.site("One"))
    few = queries(desk, "/queue/")
    for number in range(10):
        burglary(scene, scene.site(f"Site {number}"))
    assert queries(desk, "/queue/") == few


def test_an_incident_costs_the_same_with_a_long_course(scene: Scene, desk: Client) -> None:
    incident = burglary(scene, scene.site())
    desk.post(f"/incident/{incident.pk}/take/")
    few = queries(desk, f"/incident/{incident.pk}/")
    for second in range(6):
        scene.signal(incident.site, zone="5", at=scene.now + timedelta(seconds=second))
        desk.post(f"/incident/{incident.pk}/note/", {"text": f"note {second}"})
    # a name of somebody who did something is one query more than nobody's
    assert queries(desk, f"/incident/{incident.pk}/") <= few + 1
    assert few <= MOST["incident"]


def test_the_whole_page(scene: Scene, desk: Client) -> None:
    incident = burglary(scene, scene.site())
    assert queries(desk, f"/incident/{incident.pk}/", fragment=False) <= MOST["desk"]
