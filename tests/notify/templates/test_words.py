"""An office's own words: what they must say, from when they hold, what they never lose."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils.translation import override

from meldkamer.journal.models import Entry
from meldkamer.notify.models import OutboxMessage
from meldkamer.notify.templates import own, render
from meldkamer.notify.templates.catalogue import CATALOGUE
from meldkamer.notify.templates.checking import PARTS_MOST, check, check_length
from meldkamer.notify.templates.commands import (
    Overtaken,
    WordsRefused,
    back_to_shipped,
    write_words,
)
from meldkamer.notify.templates.examples import example_facts
from meldkamer.notify.templates.models import MessageTemplate
from meldkamer.notify.templates.queries import changed, history_of
from meldkamer.notify.templates.rendering import rendered, shipped
from meldkamer.sites.models import Provider
from tests.incidents.town import Town, at, run

LANGUAGES = ("nl", "fr", "de", "en")
FACTS = {
    "provider": "Securitas", "phone": "+3227523700", "site": "Bakkerij Peeters",
    "type": "power", "zone": "Koelcel",
}  # fmt: skip
OWN = "{provider} hier. {type} in {site}{zone}. Antwoord OK. Bel {phone}."


@pytest.fixture(autouse=True)
def _no_words_of_before() -> None:
    own.forget()


@pytest.fixture
def provider(town: Town) -> Provider:
    town.provider.emergency_phone = "+3227523700"
    town.provider.save()
    return town.provider


def write(provider: Provider, body: str = OWN, key: str = "ladder", **more: object) -> object:
    values = {"seen": 0, "accepted": False, **more}
    row = write_words(provider, key, "nl", "", body, at(0), "staff:1", **values)  # type: ignore[arg-type]
    own.forget()  # the test's transaction is never committed
    return row


@pytest.mark.clause("S7.1", "M12.4")
def test_the_next_text_is_in_the_offices_words_and_the_others_languages_stay(
    provider: Provider, town: Town
) -> None:
    before = {language: render("ladder", language, FACTS, provider.pk) for language in LANGUAGES}
    write(provider)
    after = {language: render("ladder", language, FACTS, provider.pk) for language in LANGUAGES}
    assert after["nl"] == (
        "", "Securitas hier. stroomuitval in Bakkerij Peeters, zone Koelcel. Antwoord OK. "
        "Bel +3227523700.",
    )  # fmt: skip
    assert {language for language in LANGUAGES if after[language] != before[language]} == {"nl"}
    assert render("ladder", "nl", FACTS, town.other.pk) == before["nl"]
    assert render("ladder", "nl", FACTS) == before["nl"]
    town.contact(1)
    town.signal("battery", "YT")
    run(at(1))
    assert OutboxMessage.objects.get().body.startswith("securitas hier. ")


def test_each_version_is_kept_and_the_way_back_is_one_of_them(provider: Provider) -> None:
    write(provider)
    write(provider, OWN + " 2", seen=1)
    back_to_shipped(provider, "ladder", "nl", at(5), "staff:2", seen=2)
    own.forget()
    rows = list(history_of(provider.pk, "ladder", "nl"))
    assert [(row.version, row.shipped, row.made_by) for row in rows] == [
        (3, True, "staff:2"), (2, False, "staff:1"), (1, False, "staff:1"),
    ]  # fmt: skip
    assert render("ladder", "nl", FACTS, provider.pk) == render("ladder", "nl", FACTS)
    assert changed(provider.pk) == {}
    write(provider, seen=3)
    assert list(changed(provider.pk)) == [("ladder", "nl")]
    entries = Entry.objects.filter(what="message.reworded").order_by("id")
    assert [entry.data["version"] for entry in entries] == [1, 2, 3, 4]
    assert {entry.clause for entry in entries} == {"M12.3"}


def test_two_who_write_at_once_do_not_overwrite_each_other(provider: Provider) -> None:
    write(provider)
    with pytest.raises(Overtaken):
        write(provider, seen=0)
    with pytest.raises(Overtaken):
        back_to_shipped(provider, "ladder", "nl", at(5), "staff:2", seen=0)


@pytest.mark.clause("M12.3")
def test_the_application_cannot_change_what_was_written(
    provider: Provider, as_application: None
) -> None:
    write(provider)
    for act in (
        lambda: MessageTemplate.objects.update(body="x"),
        lambda: MessageTemplate.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            act()
    assert MessageTemplate.objects.get().body == OWN


@pytest.mark.clause("S7.1", "S7.3", "S12.1")
@pytest.mark.parametrize(
    ("body", "code", "clause"),
    [
        (OWN.replace("{type}", "iets"), "left_out", "S7.1"),
        (OWN.replace("{site}", "u"), "left_out", "S7.1"),
        (OWN.replace("{zone}", ""), "left_out", "S7.1"),
        (OWN.replace("OK", "ja"), "not_said", "S7.3"),
        (OWN.replace("{phone}", "ons"), "left_out", "S12.1"),
    ],
)
def test_a_ladder_text_keeps_what_its_clauses_ask_for(
    provider: Provider, body: str, code: str, clause: str
) -> None:
    with pytest.raises(WordsRefused) as refused:
        write(provider, body)
    assert [(one.code, one.clause) for one in refused.value.findings] == [(code, clause)]
    assert not MessageTemplate.objects.exists()


@pytest.mark.clause("S12.1")
def test_without_a_number_to_call_it_is_warned_and_a_place_for_it_is_refused(
    provider: Provider,
) -> None:
    provider.emergency_phone = ""
    provider.save()
    without = OWN.replace(" Bel {phone}.", "")
    with pytest.raises(WordsRefused) as refused:
        write(provider, without)
    assert [(one.code, one.clause, one.mild) for one in refused.value.findings] == [
        ("no_number", "S12.1", True)
    ]
    write(provider, without, accepted=True)
    with pytest.raises(WordsRefused) as refused:
        write(provider, OWN, seen=1, accepted=True)
    assert [one.code for one in refused.value.findings] == ["phone_missing"]


def test_when_the_number_to_call_goes_away_the_shipped_words_go_out(provider: Provider) -> None:
    write(provider)
    facts = FACTS | {"phone": ""}
    assert render("ladder", "nl", facts, provider.pk) == render("ladder", "nl", facts)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (OWN + " {name}", "unknown_name"), (OWN + " {site.name}", "braces"),
        (OWN + " {site!r}", "braces"), (OWN + " {site:>99999999}", "braces"),
        (OWN + " {", "braces"), (OWN + " }", "braces"), (OWN + " {}", "braces"),
        (OWN + " {0}", "braces"), (OWN + "\x07", "control"), ("   ", "empty"),
        (OWN + " x" * 2000, "long"), (OWN + " woord" * 300, "too_many_parts"),
    ],
)  # fmt: skip
def test_what_could_not_go_out_is_refused_by_name(provider: Provider, body: str, code: str) -> None:
    with pytest.raises(WordsRefused) as refused:
        write(provider, body, accepted=True)
    assert code in [one.code for one in refused.value.findings]
    assert not MessageTemplate.objects.exists()


def test_an_unknown_name_is_refused_with_those_there_are(provider: Provider) -> None:
    (found,) = check(CATALOGUE["resumed"], "x {code}", "{site}", has_phone=True)
    assert (found.code, found.place) == ("unknown_name", "subject")
    assert found.numbers == {"name": "{code}", "allowed": "{provider}, {phone}, {site}"}


def test_doubled_braces_are_braces(provider: Provider) -> None:
    write(provider, OWN + " {{a}}")
    assert render("ladder", "nl", FACTS, provider.pk)[1].endswith(" {a}")


@pytest.mark.clause("M12.4", "S7.1", "S12.1")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", sorted(CATALOGUE))
def test_the_shipped_words_keep_every_rule_that_an_office_has_to_keep(
    town: Town, key: str, language: str
) -> None:
    words = CATALOGUE[key]
    town.provider.emergency_phone = "+3227523700"
    with override(language):
        subject, body = shipped(key)
    assert check(words, subject, body, has_phone=True) == []
    shown = rendered(key, language, subject, body, example_facts(words, town.provider))
    assert not [one for one in check_length(words, shown[1]) if not one.mild]
    assert "{" not in "".join(shown)


def test_a_text_of_many_parts_is_warned_before_it_is_refused() -> None:
    words = CATALOGUE["ladder"]
    assert check_length(words, "x" * 459) == []
    assert [one.mild for one in check_length(words, "x" * 460)] == [True]
    assert [one.mild for one in check_length(words, "x" * (153 * PARTS_MOST + 1))] == [False]
    assert check_length(CATALOGUE["resumed"], "x" * 5000) == []


def test_rendering_asks_the_database_once_in_a_while_and_not_for_each_message(
    provider: Provider, django_assert_num_queries: object
) -> None:
    write(provider)
    render("ladder", "nl", FACTS, provider.pk)
    with django_assert_num_queries(0):  # type: ignore[operator]
        for _ in range(200):
            render("ladder", "nl", FACTS, provider.pk)
    own.forget()
    with django_assert_num_queries(1):  # type: ignore[operator]
        render("ladder", "nl", FACTS, provider.pk)


def test_a_row_that_cannot_be_read_gives_the_shipped_words(provider: Provider) -> None:
    MessageTemplate.objects.create(
        provider=provider, key="ladder", language="nl", version=1, body="{site", made_by="x",
        made_at=at(0),
    )  # fmt: skip
    own.forget()
    assert render("ladder", "nl", FACTS, provider.pk) == render("ladder", "nl", FACTS)


def test_words_in_another_database_are_not_those_of_this_one(provider: Provider) -> None:
    write(provider)
    render("ladder", "nl", FACTS, provider.pk)
    name = connection.settings_dict["NAME"]
    assert own._kept.version[0] == name
