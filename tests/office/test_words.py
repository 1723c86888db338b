"""The office's messages: the list, a version saved or refused, the preview, the way back."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from meldkamer.notify.templates import own, render
from meldkamer.notify.templates.models import MessageTemplate
from meldkamer.sites.models import Provider

LADDER = ["ladder", "nl"]
OWN = "{provider} hier. {type} in {site}{zone}. Antwoord OK. Bel {phone}."
FACTS = {"provider": "S", "phone": "1", "site": "Bakkerij", "type": "power", "zone": ""}


@pytest.fixture(autouse=True)
def _number(securitas: Provider) -> None:
    securitas.emergency_phone = "+3227523700"
    securitas.save()
    own.forget()


def at(name: str, *arguments: str, provider: str = "securitas") -> str:
    return f"{reverse(f'office:{name}', args=arguments)}?provider={provider}"


def text(answer: object) -> str:
    return answer.content.decode()  # type: ignore[attr-defined, no-any-return]


def test_every_message_is_listed_in_four_languages_with_its_rules(office: Client) -> None:
    page = text(office.get(at("words")))
    assert page.count("Text that asks for an answer") >= 1
    assert "S7.1, S12.1, S7.3" in page
    for language in ("nl", "fr", "de", "en"):
        assert at("word", "ladder", language) in page


@pytest.mark.clause("S7.1", "M12.3", "M12.4")
def test_saved_words_hold_from_the_next_message_on_and_the_way_back_is_there(
    office: Client, securitas: Provider
) -> None:
    sent = {"body": OWN, "seen": "0"}
    assert office.post(at("word", *LADDER), sent).status_code == 302
    own.forget()
    assert render("ladder", "nl", FACTS, securitas.pk)[1].startswith("S hier. stroomuitval")
    page = text(office.get(at("word", *LADDER)))
    assert "own, version 1" in page
    assert "own, version 1" in text(office.get(at("words")))
    assert office.post(at("word_shipped", *LADDER), {"seen": "1"}).status_code == 302
    own.forget()
    assert render("ladder", "nl", FACTS, securitas.pk) == render("ladder", "nl", FACTS)
    page = text(office.get(at("word", *LADDER)))
    assert "back to the shipped words" in page
    assert page.count("karel") >= 2
    assert MessageTemplate.objects.count() == 2


@pytest.mark.clause("S7.1", "S7.3", "S12.1")
def test_words_that_leave_out_what_must_be_said_are_refused_and_kept_on_the_page(
    office: Client,
) -> None:
    sent = {"body": "Er is iets in {site} {nam}", "seen": "0"}
    answer = office.post(at("word", *LADDER), sent)
    assert answer.status_code == 422
    page = text(answer)
    for words in (
        "{type} must stand in it. (S7.1)", "{phone} must stand in it. (S12.1)",
        "the word “ok”. (S7.3)", "{nam} is not known here. Names of this message: {provider}",
        "Er is iets in {site} {nam}",
    ):  # fmt: skip
        assert words in page, words
    assert not MessageTemplate.objects.exists()


def test_a_warning_is_accepted_by_a_tick(office: Client, securitas: Provider) -> None:
    long = OWN + " woord" * 80
    answer = office.post(at("word", *LADDER), {"body": long, "seen": "0"})
    assert answer.status_code == 422
    assert "Accepted: it may go out like this" in text(answer)
    sent = {"body": long, "seen": "0", "accepted": "on"}
    assert office.post(at("word", *LADDER), sent).status_code == 302


def test_who_comes_second_is_told_and_loses_nothing(office: Client) -> None:
    office.post(at("word", *LADDER), {"body": OWN, "seen": "0"})
    answer = office.post(at("word", *LADDER), {"body": OWN + " Groet.", "seen": "0"})
    assert answer.status_code == 409
    assert "Somebody saved another version meanwhile" in text(answer)
    assert "Groet." in text(answer)
    assert office.post(at("word", *LADDER), {"body": OWN + " Groet.", "seen": "1"}).status_code == (
        302
    )
    office.post(at("word_shipped", *LADDER), {"seen": "1"})
    assert MessageTemplate.objects.filter(shipped=True).count() == 0


def test_the_preview_fills_in_counts_texts_and_says_why_they_are_many(office: Client) -> None:
    seen = text(office.post(at("word_preview", *LADDER), {"body": OWN, "kind": "fire"}))
    assert "Securitas hier. brand in Bakkerij Peeters, Kerkstraat 12, Mechelen" in seen
    assert "1 text ·" in seen
    assert "of 160 characters" in seen
    seen = text(office.post(at("word_preview", *LADDER), {"body": OWN + " Façade."}))
    assert "fewer fit because of: ç" in seen
    assert "of 134 characters" in seen
    seen = text(office.post(at("word_preview", *LADDER), {"body": OWN + " {x.y}"}))
    assert "Braces hold one name, as {site}." in seen
    assert "Mend what is refused" in seen
    assert not MessageTemplate.objects.exists()


@pytest.mark.clause("S24.5")
def test_a_mail_is_previewed_with_who_writes_under_it(office: Client, securitas: Provider) -> None:
    securitas.company_number = "0461.363.870"
    securitas.save()
    seen = text(
        office.post(
            at("word_preview", "resumed", "nl"), {"subject": "{site}", "body": "{site} loopt."}
        )
    )
    assert "Ondernemingsnummer (KBO) 0461.363.870" in seen
    assert "texts" not in seen


def test_what_is_typed_is_never_markup(office: Client) -> None:
    seen = text(office.post(at("word_preview", *LADDER), {"body": OWN + "<script>x</script>"}))
    assert "<script>" not in seen
    assert "&lt;script&gt;" in seen


@pytest.mark.parametrize(
    "address",
    [
        at("word", "nothing", "nl"), at("word", "ladder", "xx"),
        at("word", *LADDER, provider="dtral"), at("words", provider="dtral"),
        at("word_preview", *LADDER, provider="dtral"),
    ],
)  # fmt: skip
def test_what_is_not_there_or_another_providers_is_not_found(
    office: Client, dtral: Provider, address: str
) -> None:
    method = office.post if "preview" in address else office.get
    assert method(address).status_code == 404


def test_a_version_that_is_no_number_saves_nothing(office: Client) -> None:
    for seen in ("", "x", "9" * 30, "-1"):
        answer = office.post(at("word", *LADDER), {"body": OWN, "seen": seen})
        assert answer.status_code == 409
    assert not MessageTemplate.objects.exists()
