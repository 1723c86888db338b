"""Who is nearest by road: a routing service over real HTTP, asked before the transaction (S6.1)."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from meldkamer.incidents import commands
from meldkamer.incidents.models import Incident
from meldkamer.incidents.operating import dispatching
from meldkamer.journal.models import Entry
from meldkamer.notify.models import PatrolJob
from meldkamer.notify.patrol import roads
from meldkamer.project.addresses import route_link
from tests.incidents.test_patrol_offers import in_hands, unit
from tests.incidents.town import Town, at, run

Answer = Callable[[list[str]], tuple[int, bytes]]


class Peer:
    """A routing service: what it was asked, and what it answers."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer: Answer = lambda sources: (200, _table([300.0] * len(sources)))
        peer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                peer.asked.append(self.path)
                sources = self.path.split("sources=")[1].split("&")[0].split(";")
                status, body = peer.answer(sources)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"


def _table(seconds: list[float | None]) -> bytes:
    return json.dumps({"code": "Ok", "durations": [[one] for one in seconds]}).encode()


@pytest.fixture
def peer(settings: Any) -> Iterator[Peer]:
    running = Peer()
    settings.MELDKAMER_ROUTING_URL = running.address
    roads.forget()
    yield running
    running.server.shutdown()
    running.server.server_close()
    roads.forget()


@pytest.fixture
def burglary(committed_town: Town) -> Incident:
    return in_hands(committed_town)


def offered() -> str:
    return Entry.objects.filter(what="patrol.offered").latest("id").recipient


@pytest.mark.clause("S6.1")
def test_the_nearest_by_road_is_asked_and_then_the_second(
    committed_town: Town, burglary: Incident, peer: Peer
) -> None:
    town = committed_town
    near, far = unit(town, "across the water", 1.0), unit(town, "by road", 3.0)
    # the nearest as the crow flies is named first, and is a quarter of an hour away
    peer.answer = lambda sources: (200, _table([900.0, 240.0]))
    dispatching.ask_roads(town.provider.pk, (51.2, 4.4))
    commands.send_patrol(town.emma, burglary.pk, at(0))
    assert offered() == "by road"
    job = PatrolJob.objects.get()
    assert (job.unit_id, job.road_s) == (far.pk, 240)
    [path] = peer.asked
    assert path.startswith("/table/v1/driving/4.400000,51.200000;4.400000,51.208993;4.4")
    assert path.endswith("?sources=1;2&destinations=0&annotations=duration")
    # the search goes on in another process, by what was asked for when it began
    roads.forget()
    run(at(60))
    assert offered() == "across the water"
    assert PatrolJob.objects.get(unit=near).road_s == 900
    assert len(peer.asked) == 1


@pytest.mark.clause("S6.1")
@pytest.mark.parametrize(
    "answer",
    [
        (500, b"no"), (200, b"<html>"), (200, b'{"code": "Ok", "durations": [[1]]}'),
        (200, b'{"code": "InvalidUrl"}'), (200, b'{"code": "Ok", "durations": [["x"], [1]]}'),
        (200, _table([float("1e9"), 2.0])),
    ],
)  # fmt: skip
def test_an_answer_of_no_use_leaves_it_to_the_distance(
    committed_town: Town, burglary: Incident, peer: Peer, answer: tuple[int, bytes]
) -> None:
    town = committed_town
    unit(town, "near", 1.0)
    unit(town, "far", 3.0)
    peer.answer = lambda sources: answer
    dispatching.ask_roads(town.provider.pk, (51.2, 4.4))
    commands.send_patrol(town.emma, burglary.pk, at(0))
    assert offered() == "near"
    assert peer.asked


@pytest.mark.clause("S6.1")
def test_a_service_that_is_slow_or_away_costs_a_second_and_a_half_at_most(
    committed_town: Town, burglary: Incident, peer: Peer
) -> None:
    town = committed_town
    unit(town, "near", 1.0)
    leave = threading.Event()

    def slow(sources: list[str]) -> tuple[int, bytes]:
        leave.wait(10)
        return 200, _table([1.0])

    peer.answer = slow
    began_s = time.monotonic()
    dispatching.ask_roads(town.provider.pk, (51.2, 4.4))
    assert time.monotonic() - began_s < roads.LIMIT_S + 1
    leave.set()
    commands.send_patrol(town.emma, burglary.pk, at(0))
    assert offered() == "near"


def test_services_that_answer_drop_by_drop_leave_their_askers_for_the_next(
    committed_town: Town, burglary: Incident, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr(roads, "LIMIT_S", 0.3)
    unit(committed_town, "near", 1.0)
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as drip:
        settings.MELDKAMER_ROUTING_URL = f"http://127.0.0.1:{drip.getsockname()[1]}"

        def answer() -> None:
            line, _ = drip.accept()
            with line, suppress(OSError):
                line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n")
                while not over.wait(0.05):
                    line.sendall(b" ")

        threads = [threading.Thread(target=answer, daemon=True) for _ in range(4)]
        for thread in threads:
            thread.start()
        # twice as many as there are askers: each is free again when its time is up
        for _ in threads:
            dispatching.ask_roads(committed_town.provider.pk, (51.2, 4.4))
        began_s = time.monotonic()
        assert roads._askers.submit(lambda: "free").result(2) == "free"
        assert time.monotonic() - began_s < 1
        over.set()


def test_no_road_to_there_is_no_road_time(committed_town: Town, peer: Peer) -> None:
    island = unit(committed_town, "island", 1.0)
    peer.answer = lambda sources: (200, _table([None]))
    dispatching.ask_roads(committed_town.provider.pk, (51.2, 4.4))
    assert roads.known([island], (51.2, 4.4)) == {}


def test_asking_inside_a_transaction_is_found_at_once(committed_town: Town, peer: Peer) -> None:
    unit(committed_town, "near", 1.0)
    with transaction.atomic(), pytest.raises(RuntimeError, match="before the transaction"):
        dispatching.ask_roads(committed_town.provider.pk, (51.2, 4.4))
    assert peer.asked == []


def test_a_link_for_the_route_is_a_map_or_https() -> None:
    assert route_link("X", "").startswith("geo:")
    assert route_link("X", "https://maps.example/?to={lat},{lon}")
    for wrong in ("javascript:alert({lat})", "https://maps.example/{town}", "http://x/{lat}"):
        with pytest.raises(ImproperlyConfigured, match="X: expected"):
            route_link("X", wrong)
