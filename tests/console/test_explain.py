"""Why: each line of a course opens to its rule, in four languages, with the values used."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import translation

from meldkamer.console import clauses
from meldkamer.console.screens import explain, values
from meldkamer.console.sources import source_of
from meldkamer.incidents.models import Incident
from meldkamer.journal.models import Entry
from meldkamer.people.models import Staff
from meldkamer.project.clauses import known_clauses
from meldkamer.terms import places
from tests.console.scene import Scene, burglary

ROOT = Path(__file__).resolve().parents[2]
#: the sections that an operator meets; the others are papers and money
SECTIONS = (1, 2, 3, 4, 5, 6, 12)
_CLAUSE = re.compile(r"\"([SDMB]\d+(?:\.\d+)?[a-z]?)\"")
BRUSSELS = ZoneInfo("Europe/Brussels")


def quoted() -> set[str]:
    """Every clause that code, terms, stories or timelines quote, of those that there are."""
    files = [
        *(ROOT / "src" / "meldkamer").rglob("*.py"),
        *(ROOT / "src" / "meldkamer" / "terms").glob("*.toml"),
        *(ROOT / "rehearsals").rglob("*.toml"),
    ]
    found = {c for file in files for c in _CLAUSE.findall(file.read_text("utf-8"))}
    for file in (ROOT / "tests" / "rehearsal" / "expected").glob("*.jsonl"):
        for line in file.read_text("utf-8").splitlines():
            found.add(json.loads(line).get("clause", ""))
    return found & set(known_clauses(ROOT))


def without_reading(ids: set[str], known: dict[str, dict[str, str]]) -> list[str]:
    """The clauses that cannot be explained in all four languages."""
    lacking = [c for c in ids if set(known.get(c, {})) != set(clauses.LANGUAGES)]
    return sorted(c for c in {*lacking, *(c for c in ids & set(known) if "" in known[c].values())})


def test_every_clause_that_can_be_quoted_has_a_reading_in_four_languages() -> None:
    of_sections = {c for c, held in known_clauses(ROOT).items() if held.section in SECTIONS}
    assert len(quoted()) > 50
    assert without_reading(quoted() | of_sections, clauses.readings()) == []


def test_a_clause_that_lacks_one_language_is_named() -> None:
    known = clauses.readings()
    short = {**known, "S7.2": {"en": "Without an answer"}}
    assert without_reading({"S7.2", "S7.3", "S99.9"}, short) == ["S7.2", "S99.9"]


def test_every_place_of_a_clause_is_one_that_the_terms_have() -> None:
    ids = known_clauses(ROOT)
    assert [c for c in clauses.places() if c not in ids] == []
    faults = [places.fault_of(place) for found in clauses.places().values() for place in found]
    assert [fault for fault in faults if fault] == []


def test_every_clause_says_where_it_stands() -> None:
    assert [c for c in clauses.readings() if not source_of(c)] == []
    assert source_of("S7.2") == "Brochure of Securitas Monitoring, page 7"
    assert source_of("D904.3") == "General terms of D’Tral, article 904, item 3"
    assert source_of("D904.4a") == "General terms of D’Tral, article 904, item 4a"
    assert source_of("B1") == "Belgian law: private security act of 2017, article 152"
    assert source_of("M3.2") == "Our own rule"
    assert source_of("nonsense") == ""


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("texting.wait_s", 90, "90 s"),
        ("power.delay_s", 1800, "30 min"),
        ("test_mode.phone_max_s", 86_400, "24 h"),
        ("trial.days", 14, "14 days"),
        ("trial.days", 1, "1 day"),
        ("outage.share", 0.3, "30 %"),
        ("outage.radius_km", 5.0, "5 km"),
        ("outage.enabled", True, "yes"),
        ("queue.ageing_types", (), "none"),
        ("trial.forbids", ("police", "fire"), "police, fire brigade"),
        ("patrol.unasked_types", ("fire", "holdup"), "fire, hold-up"),
        ("queue.classes", (("fire",), ("power", "battery")), "fire › power failure, battery"),
        ("line_test.wait_s_by_period_s", ((3600, 900),), "1 h: 15 min"),
        (
            "formulas.mix.treatment.power",
            "ladder+operator",
            "texts, contact by contact + an operator",
        ),
        ("plans.proguard.period", "contract_year", "a contract year"),
        ("texting.mobile_countries", ("BE", "NL"), "BE, NL"),
        ("verification.detectors", 2, "2"),
    ],
)
def test_a_value_is_shown_with_its_unit(key: str, value: object, expected: str) -> None:
    assert values.words(key, value) == expected


def test_an_entry_shows_the_values_that_it_carries_itself() -> None:
    entry = Entry(
        what="incident.waiting",
        at=datetime(2026, 3, 2, 21, 0, tzinfo=UTC),
        data={"until": "2026-03-02T21:30:00+00:00", "for": "power", "count": 2, "window_s": 1800},
    )
    assert explain.recorded(entry, BRUSSELS) == (
        ("until", "02/03/2026 22:30:00"),
        ("counted", "2"),
        ("within", "30 min"),
    )


def opened(desk: Client, incident: Incident, clause: str, **asked: object) -> str:
    address = f"/incident/{incident.pk}/why/{clause}/"
    answer = desk.get(
        address, {k: str(v) for k, v in asked.items()}, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


@pytest.mark.clause("M12.3")
def test_a_line_of_the_course_opens_to_its_rule_and_its_values(scene: Scene, desk: Client) -> None:
    incident = burglary(scene, scene.site(), verified=True)
    entry = Entry.objects.get(incident_id=incident.pk, what="incident.verified")
    page = desk.get(f"/incident/{incident.pk}/").content.decode()
    assert f'href="/incident/{incident.pk}/why/S9.1/?entry={entry.pk}"' in page
    text = opened(desk, incident, "S9.1", entry=entry.pk)
    assert "Verified by contact-3, pir-5" in text
    assert "Brochure of Securitas Monitoring, page 9" in text
    assert "two different detectors" in text
    assert (
        'verification.window_s</dt><dd><b>30 min</b> <span class="hush">(securitas 2022-05)' in text
    )
    assert "<dt>apart</dt><dd>29 s</dd>" in text


def test_a_clause_without_any_value_shows_none(scene: Scene, desk: Client) -> None:
    incident = burglary(scene, scene.site())
    text = opened(desk, incident, "S7.3")
    assert "no handling is counted" in text
    assert "securitas 2022-05" not in text
    assert "<dl" not in text


@pytest.mark.clause("S15.3", "M3.1")
def test_a_refused_step_opens_to_the_same_with_what_is_not_met(scene: Scene, desk: Client) -> None:
    incident = burglary(scene, scene.site())
    text = opened(desk, incident, "S15.3", step="request:police")
    assert "Not allowed" in text
    assert "not met" in text
    assert "verification.detectors" in text


def test_the_values_are_those_of_the_terms_that_the_incident_was_opened_with(
    scene: Scene, desk: Client
) -> None:
    incident = burglary(scene, scene.site())
    provider = incident.provider
    provider.terms = "dtral"
    provider.save()
    assert "(securitas 2022-05)" in opened(desk, incident, "M12.2")


def test_a_procedure_that_the_provider_s_own_text_does_not_have_says_so(
    scene: Scene, desk: Client, operator: Staff
) -> None:
    operator.providers.add(scene.providers["dtral"])
    incident = burglary(scene, scene.site("Winkel", "dtral"))
    assert "own text has no such procedure" in opened(desk, incident, "S15.2")
    assert "own text has no such procedure" not in opened(desk, incident, "M12.2")


def test_a_shorter_wait_of_the_sheet_is_shown(scene: Scene, desk: Client) -> None:
    site = scene.site("Diepvries", power_delay_s=600)
    scene.signal(site, "AT", "power")
    text = opened(desk, Incident.objects.get(site=site), "S10.1")
    assert "<b>30 min</b>" in text
    assert "<b>10 min</b>" in text
    assert "sheet of this site" in text


@pytest.mark.parametrize("language", ["nl", "fr", "de"])
def test_the_reading_is_in_the_operator_s_language(language: str) -> None:
    with translation.override(language):
        found = explain.plain("S15.1")
        assert found is not None
        assert found.reading == clauses.readings()["S15.1"][language]


def test_another_provider_s_incident_is_not_explained(scene: Scene, desk: Client) -> None:
    incident = burglary(scene, scene.site("Winkel", "dtral"))
    assert desk.get(f"/incident/{incident.pk}/why/S15.2/").status_code == 404


def test_an_entry_of_another_incident_or_clause_is_not_shown(scene: Scene, desk: Client) -> None:
    first, second = burglary(scene, scene.site("A")), burglary(scene, scene.site("B"))
    entry = Entry.objects.filter(incident_id=first.pk).exclude(clause="").first()
    assert entry is not None
    address = f"/incident/{second.pk}/why/{entry.clause}/"
    assert desk.get(address, {"entry": entry.pk}).status_code == 404
    assert desk.get(f"/incident/{first.pk}/why/S99.9/").status_code == 404


def test_without_the_desk_s_script_the_rule_is_a_page(scene: Scene, desk: Client) -> None:
    incident = burglary(scene, scene.site())
    page = desk.get(f"/incident/{incident.pk}/why/S15.1/").content.decode()
    assert '<main class="panel why-page"' in page
    assert "queue.classes" in page


def test_the_list_of_clauses_and_their_terms_is_valid_toml() -> None:
    found = tomllib.loads(clauses.TERMS.read_text("utf-8"))
    assert found["S7.2"] == ["texting.wait_s", "announcing.wait_s"]
