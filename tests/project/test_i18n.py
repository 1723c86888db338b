"""The translations' workshop: finds every sentence, and every gap."""

import json
from pathlib import Path
from typing import Any

import pytest

from meldkamer.project import i18n

PYTHON = """
from django.utils.translation import gettext_lazy as _, ngettext, pgettext
a = _("Take the next one")
b = ngettext("%(n)s signal", "%(n)s signals", 2)
c = pgettext("of a queue", "Open")
d = f"not a sentence {a}"
"""
PAGE = """{% load i18n %}
<p>{% translate "Hold" %}</p>
  {% blocktranslate trimmed with name=site.name count n=3 %}
    {{ name }} has {{ n }} zone
  {% plural %}
    {{ name }} has {{ n }} zones
  {% endblocktranslate %}
<b title="{% translate 'Quote "this"' %}">x</b>
"""
DUTCH: dict[str, Any] = {
    "Take the next one": "Neem de volgende",
    "%(n)s signal": ["%(n)s signaal", "%(n)s signalen"],
    "of a queue\x04Open": "Open",
    "Hold": "Wacht",
    "%(name)s has %(n)s zone": ["%(name)s heeft %(n)s zone", "%(name)s heeft %(n)s zones"],
    'Quote "this"': 'Citeer "dit"',
}


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with one module and one page, in one language."""
    (tmp_path / "desk" / "templates").mkdir(parents=True)
    (tmp_path / "desk" / "words.py").write_text(PYTHON)
    (tmp_path / "desk" / "templates" / "page.html").write_text(PAGE)
    monkeypatch.setattr(i18n, "PACKAGE", tmp_path)
    monkeypatch.setattr(i18n, "LOCALE", tmp_path / "locale")
    monkeypatch.setattr(i18n, "LANGUAGES", ("nl",))
    return tmp_path


def translate(**changed: Any) -> None:
    i18n.bring_up_to_date()
    i18n.put({name: {"nl": text} for name, text in (DUTCH | changed).items()})


def faults() -> list[str]:
    return i18n.faults("nl", i18n.collect())


def test_every_sentence_of_code_and_pages_is_found_and_nothing_else() -> None:
    assert set(i18n.missing(i18n.collect())) == set(DUTCH)


def test_a_complete_language_has_no_faults() -> None:
    translate()
    assert faults() == []


def test_a_sentence_without_a_translation_is_named_with_its_file() -> None:
    i18n.bring_up_to_date()
    assert "nl: 'Hold' (desk/templates/page.html) is not translated" in faults()


def test_a_new_sentence_is_never_guessed_from_a_similar_one(package: Path) -> None:
    translate()
    page = package / "desk" / "templates" / "page.html"
    page.write_text(PAGE.replace('"Hold"', '"Hold on"'))
    i18n.bring_up_to_date()
    assert faults() == ["nl: 'Hold on' (desk/templates/page.html) is not translated"]


def test_a_lost_placeholder_is_a_fault() -> None:
    translate(**{"%(n)s signal": ["één signaal", "%(aantal)s signalen"]})
    found = faults()
    assert len(found) == 2
    assert "has the placeholders ['%(aantal)s'], expected ['%(n)s']" in found[1]


def test_an_unsure_translation_is_a_fault() -> None:
    translate()
    file = i18n.po_file("nl")
    file.write_text(file.read_text().replace('msgid "Hold"', '#, fuzzy\nmsgid "Hold"'))
    assert faults() == ["nl: 'Hold' (desk/templates/page.html) is marked unsure (fuzzy)"]


def test_a_sentence_that_is_gone_is_a_fault_until_collected(package: Path) -> None:
    translate()
    (package / "desk" / "words.py").write_text("")
    assert any("is used no more" in line for line in faults())
    i18n.bring_up_to_date()
    assert faults() == []


def test_collecting_twice_changes_nothing() -> None:
    translate()
    before = i18n.po_file("nl").read_bytes()
    i18n.bring_up_to_date()
    assert i18n.po_file("nl").read_bytes() == before


def test_a_translation_of_a_sentence_that_nobody_says_is_refused() -> None:
    with pytest.raises(ValueError, match="no template or code has the sentence 'Holdd'"):
        i18n.put({"Holdd": {"nl": "x"}})


def test_what_is_missing_can_be_filled_in_and_put_back(capsys: pytest.CaptureFixture[str]) -> None:
    assert i18n.main(["missing"]) == 0
    asked = json.loads(capsys.readouterr().out)
    assert asked["%(n)s signal"] == {"nl": ["", ""]}
    i18n.put({name: {"nl": DUTCH[name]} for name in asked})
    assert i18n.main(["check"]) == 0


def test_compiled_catalogues_speak(package: Path) -> None:
    import gettext

    translate()
    i18n.compile_stale()
    with i18n.po_file("nl").with_suffix(".mo").open("rb") as source:
        spoken = gettext.GNUTranslations(source)
    assert spoken.gettext("Hold") == "Wacht"
    assert spoken.ngettext("%(n)s signal", "%(n)s signals", 5) == "%(n)s signalen"
    assert spoken.pgettext("of a queue", "Open") == "Open"
