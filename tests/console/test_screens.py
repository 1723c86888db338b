"""What the screens say: ages, norms, clauses, the sketch, hours, the AVS-01 level."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from meldkamer.console import clauses, norms, phones, timing
from meldkamer.console.feed import OVERLAP_S, Change, Listener, _parse
from meldkamer.console.screens import course
from meldkamer.console.screens.hours import schedule
from meldkamer.console.screens.sketch import HEIGHT, WIDTH, Place, sketch, zone_way
from meldkamer.incidents.deciding.facts import incident_facts
from meldkamer.journal.models import Entry
from meldkamer.project.clauses import known_clauses
from meldkamer.rules import avs
from meldkamer.rules.facts import SignalFacts
from meldkamer.sites.models import OpeningHours, Zone
from meldkamer.terms.loader import ALL_TYPES, load, shipped
from tests.console.scene import Scene, burglary

ROOT = Path(__file__).resolve().parents[2]
BRUSSELS = ZoneInfo("Europe/Brussels")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0:00"), (51, "0:51"), (98.9, "1:38"), (3599, "59:59"), (3600, "1:00:00"), (-4, "0:00")],
)
def test_an_age_reads(seconds: float, words: str) -> None:
    assert timing.span(seconds) == words


@pytest.mark.parametrize(
    ("kind", "age_s", "state"),
    [
        ("holdup", 30, "ok"), ("holdup", 31, "warn"), ("fire", 61, "late"),
        ("intrusion", 90, "ok"), ("intrusion", 91, "warn"), ("intrusion", 181, "late"),
    ],
)  # fmt: skip
def test_an_age_against_its_norm(kind: str, age_s: float, state: str) -> None:
    norm = norms.norm_of(kind, date(2026, 11, 22))
    assert norm is not None
    assert norm.state(age_s) == state


def test_an_unknown_code_has_no_norm_and_no_day_before_the_table_has_one() -> None:
    assert norms.norm_of("undefined", date(2026, 11, 22)) is None
    assert norms.norm_of("fire", date(2018, 1, 1)) is None


def test_every_other_type_has_a_norm() -> None:
    day = date(2026, 11, 22)
    assert [t for t in ALL_TYPES if norms.norm_of(t, day) is None] == ["undefined"]


@pytest.mark.clause("M12.4")
def test_a_clause_reads_in_every_language_and_is_a_clause() -> None:
    for name, texts in clauses.readings().items():
        assert set(texts) == set(clauses.LANGUAGES), name
        assert name in known_clauses(ROOT)
        assert len(set(texts.values())) == 4, name


def test_every_clause_that_the_rules_quote_can_be_opened() -> None:
    from meldkamer.project.paths import PACKAGE

    quoted = set()
    for folder in ("rules", "incidents", "contracts", "watch"):
        for file in (PACKAGE / folder).rglob("*.py"):
            quoted |= set(re.findall(r'"([SMBD]\d+(?:\.\d+)?[a-z]?)"', file.read_text()))
    quoted |= {step.clause for name in shipped() for p in load(name).procedures for step in p.steps}
    wanted = {name for name in quoted if name in known_clauses(ROOT)}
    assert not wanted - set(clauses.readings()), wanted - set(clauses.readings())


def test_an_unknown_clause_does_not_exist(desk: Client) -> None:
    assert desk.get("/clause/S99.9/").status_code == 404


@pytest.mark.parametrize(
    ("number", "shown"),
    [("+32475001236", "0475 00 12 36"), ("+3292210017", "09 221 00 17"), ("101", "101"),
     ("+31201234567", "+31 20 123 4567"), ("", "")],
)  # fmt: skip
def test_a_number_is_shown_as_it_is_dialled(number: str, shown: str) -> None:
    assert phones.shown(number) == shown


def test_north_is_up_east_is_right_and_all_is_on_the_map() -> None:
    here = (51.04, 3.72)
    drawn = sketch(
        "here", here,
        [Place("unit", "R12", 51.05, 3.72), Place("unit", "R07", 51.04, 3.74),
         Place("site", "far", 52.0, 4.9)],
    )  # fmt: skip
    spots = {spot.name: spot for spot in drawn.spots}
    assert spots["R12"].y < spots["here"].y
    assert abs(spots["R12"].x - spots["here"].x) < 1
    assert spots["R07"].x > spots["here"].x
    assert spots["R12"].km == pytest.approx(1.1, abs=0.05)
    assert "far" not in spots
    assert all(0 < spot.x < WIDTH and 0 < spot.y < HEIGHT for spot in drawn.spots)


def test_names_on_the_map_do_not_cover_each_other() -> None:
    close = [Place("site", f"S{n}", 51.04 + n * 0.0002, 3.72) for n in range(1, 6)]
    drawn = sketch("here", (51.04, 3.72), close)
    named = [spot for spot in drawn.spots if spot.labelled and spot.kind == "site"]
    assert len(named) < 5


def test_zones_stand_in_the_order_of_alarm_each_once() -> None:
    found = zone_way([("3", "door"), ("5", "pir"), ("3", "door"), ("7", "shop")])
    assert [zone.number for zone in found] == ["3", "5", "7"]


def week() -> list[OpeningHours]:
    return [OpeningHours(weekday=day, opens=time(8, 30), closes=time(18, 30)) for day in range(5)]


@pytest.mark.parametrize(
    ("now", "is_open", "until"),
    [
        (datetime(2026, 11, 20, 10, tzinfo=BRUSSELS), True, "18:30"),
        (datetime(2026, 11, 21, 3, tzinfo=BRUSSELS), False, "Mon 08:30"),
        (datetime(2026, 11, 23, 8, 29, tzinfo=BRUSSELS), False, "08:30"),
    ],
)
def test_open_or_closed_until(now: datetime, is_open: bool, until: str) -> None:
    found = schedule(week(), now, BRUSSELS)
    assert found.open is is_open
    assert until in found.words


def test_a_date_overrides_its_weekday() -> None:
    holiday = OpeningHours(on_date=date(2026, 11, 20), opens=None, closes=None)
    now = datetime(2026, 11, 20, 10, tzinfo=BRUSSELS)
    assert schedule([*week(), holiday], now, BRUSSELS).open is False


def test_without_hours_nothing_is_said() -> None:
    assert schedule([], datetime.now(UTC), BRUSSELS).open is None


# --- AVS-01


def level(scene: Scene, *, verified: bool = False, **around: object) -> avs.Level:
    incident = burglary(scene, scene.site(), verified=verified)
    facts = incident_facts(incident, scene.now)
    zones = ("3", "5") if verified else ("3",)
    signals = tuple(
        SignalFacts(n, scene.now, "BA", "event", "intrusion", zone=zone)
        for n, zone in enumerate(zones)
    )
    found = avs.assess(facts, signals, avs.Surroundings(**around), scene.now)  # type: ignore[arg-type]
    assert found is not None
    return found


@pytest.mark.clause("S9.1")
def test_one_detector_is_level_1_and_says_what_would_raise_it(scene: Scene) -> None:
    found = level(scene)
    assert found.level == 1
    assert any(f.way == "would_raise" and f.what.startswith("to 2") for f in found.facts)


def test_two_detectors_are_level_2(scene: Scene) -> None:
    assert level(scene, verified=True, armed=True).level == 2


def test_two_detectors_while_not_armed_are_level_1(scene: Scene) -> None:
    found = level(scene, verified=True, armed=False)
    assert found.level == 1
    assert any(f.way == "against" for f in found.facts)


@pytest.mark.clause("S9.2")
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("call_point", "Fire call point"), ("smoke", "Smoke"), ("sprinkler", "Sprinkler"),
        ("button_fixed", "Fixed button"), ("button_portable", "Portable button"),
        ("pendant", "Pendant"),
    ],
)  # fmt: skip
def test_the_operator_sees_of_what_kind_the_detector_is(
    scene: Scene, desk: Client, kind: str, words: str
) -> None:
    site = scene.site()
    Zone.objects.create(site=site, number="9", name="Gang", detector="d-9", kind=kind)
    incident = scene.signal(site, "FA", "fire", "9")
    assert incident is not None
    shown = f'9 Gang <span class="hush extra">{words}</span>'
    assert shown in desk.get(f"/incident/{incident.pk}/").content.decode()


def test_a_fire_has_no_level(scene: Scene) -> None:
    incident = scene.signal(scene.site(), "FA", "fire")
    assert incident is not None
    facts = incident_facts(incident, scene.now)
    assert avs.assess(facts, (), avs.Surroundings(), scene.now) is None


# --- the course


def test_every_word_of_an_incident_s_journal_has_a_sentence(scene: Scene, desk: Client) -> None:
    incident = burglary(scene, scene.site(), verified=True)
    base = f"/incident/{incident.pk}/"
    desk.post(base + "take/")
    desk.post(base + "dial/", {"step": "call:premises"})
    desk.post(base + "code/", {"person": "premises", "code": "999999"})
    desk.post(base + "result/", {"step": "call:premises", "result": "reached", "says": "real"})
    desk.post(base + "service/", {"service": "police"})
    desk.post(base + "patrol/")
    desk.post(base + "supervisor/", {"reason": "x"})
    desk.post(base + "note/", {"text": "x"})
    desk.post(base + "hold/", {"minutes": "2", "reason": "patrol"})
    words = set(Entry.objects.filter(incident_id=incident.pk).values_list("what", flat=True))
    silent = words - set(course._SENTENCES) - course._SILENT
    assert not silent


def _said(node: ast.AST) -> Iterator[str]:
    """The words of the journal that this call writes about an incident."""
    if isinstance(node, ast.Call) and node.args:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
        if name in ("say", "Say"):
            for part in ast.walk(node.args[0]):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value


def test_every_word_that_is_said_about_an_incident_has_a_sentence() -> None:
    root = ROOT / "src" / "meldkamer"
    files = [*root.glob("incidents/**/*.py"), *root.glob("rules/*.py")]
    calls = [node for file in files for node in ast.walk(ast.parse(file.read_text("utf-8")))]
    said = {
        word for node in calls for word in _said(node) if re.fullmatch(r"[a-z_]+\.[a-z_]+", word)
    }
    # and what the timelines of all stories say about one
    for file in (ROOT / "tests" / "rehearsal" / "expected").glob("*.jsonl"):
        lines = map(json.loads, file.read_text("utf-8").splitlines())
        said |= {line["what"] for line in lines if "incident" in line}
    assert len(said) > 40
    assert not said - set(course._SENTENCES) - course._SILENT


# --- the feed


def test_payloads_are_read() -> None:
    incidents, sites, notices = _parse({"incident:7", "9", "site:3", "notices"})
    assert (sorted(incidents), sites, notices) == ([7, 9], [3], True)


def test_a_console_that_does_not_read_is_dropped_not_fed() -> None:
    listener = Listener(frozenset({1}))
    for number in range(2000):
        listener.put(Change(number, 1, number))
    waiting = [listener.waiting.get_nowait() for _ in range(listener.waiting.qsize())]
    assert None in waiting
    assert len(waiting) < 600


def test_a_gap_is_told_with_an_overlap(scene: Scene, desk: Client) -> None:
    from meldkamer.console.views.stream import _missed

    incident = burglary(scene, scene.site())
    ids = list(Entry.objects.filter(incident_id=incident.pk).values_list("id", flat=True))
    provider = scene.providers["securitas"].pk
    told = _missed([provider], ids[0])
    assert [row["id"] for row in told["entries"]] == ids[1:]
    assert told["incidents"] == [incident.pk]
    assert OVERLAP_S >= 30
    assert _missed([scene.providers["dtral"].pk], ids[0])["entries"] == []


def test_the_first_hello_tells_no_past(scene: Scene) -> None:
    from meldkamer.console.views.stream import _missed

    burglary(scene, scene.site())
    assert _missed([scene.providers["securitas"].pk], None)["entries"] == []


def test_a_quiet_desk_proves_that_it_lives(scene: Scene, desk: Client) -> None:
    scene.signal(scene.site(), "RP", "info", None, role="test_message")
    page = desk.get("/").content.decode()
    assert "Nothing waiting" in page
    assert "a test message" in page


def test_a_deadline_that_passed_is_shown(scene: Scene, desk: Client) -> None:
    incident = burglary(scene, scene.site())
    type(incident).objects.filter(pk=incident.pk).update(
        due=datetime.now(UTC) - timedelta(minutes=5)
    )
    assert "1 overdue" in desk.get("/").content.decode()


@pytest.mark.clause("S15.5", "M3.1")
def test_a_service_that_comes_later_says_when(scene: Scene, desk: Client) -> None:
    incident = scene.signal(scene.site(), "FA", "fire")
    assert incident is not None
    page = desk.get(f"/incident/{incident.pk}/").content.decode()
    assert "after the calls, or 2:00 after the alarm" in page
