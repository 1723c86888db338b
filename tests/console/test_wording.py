"""The words of the desk inside a sentence."""

from __future__ import annotations

import ast
import re
from datetime import date
from pathlib import Path

import pytest
from django.template import Context, Template
from django.utils import translation

import meldkamer
from meldkamer.console import wording
from meldkamer.journal import records


@pytest.mark.parametrize(
    ("language", "expected"), [("en", "burglary"), ("nl", "inbraak"), ("de", "Einbruch")]
)
def test_a_type_inside_a_sentence_has_small_letters_but_german_nouns_keep_their_capital(
    language: str, expected: str
) -> None:
    with translation.override(language):
        assert wording.within(wording.word(wording.TYPES, "intrusion")) == expected


def test_a_colon_between_a_name_and_its_value_is_as_each_language_writes_it() -> None:
    written = {}
    for language in ("en", "nl", "fr", "de"):
        with translation.override(language):
            written[language] = Template("{% load house %}PIN{% colon %}1").render(Context())
    assert written == {"en": "PIN: 1", "nl": "PIN: 1", "de": "PIN: 1", "fr": "PIN\u00a0: 1"}


def test_no_page_writes_that_colon_by_itself() -> None:
    bare = re.compile(r"(?:\}\}|%\})(?:</\w+>)?: |\">: ")
    sentences = re.compile(r"\{% blocktranslate.*?endblocktranslate %\}", re.DOTALL)
    pages = Path(meldkamer.__file__).parent.glob("*/templates/**/*.html")
    found = [page.name for page in pages if bare.search(sentences.sub("", page.read_text()))]
    assert found == []


def test_whatever_stands_on_the_supervisors_list_has_words() -> None:
    # what the receiver refuses stands there under the word of its refusal
    kinds = {*records.DISPOSITIONS, "unparsed"} - {records.ACCEPTED, records.DUPLICATE}
    for file in Path(meldkamer.__file__).parent.rglob("*.py"):
        for call in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "notices.add":
                kind = call.args[0]
                kinds |= {kind.value} if isinstance(kind, ast.Constant) else set()
    assert len(kinds) > 15
    assert kinds - set(wording.NOTICE_KINDS) == set()


@pytest.mark.parametrize(
    ("language", "written"),
    [("en", "2 Mar 2026"), ("nl", "2 mrt 2026"), ("fr", "2 mar 2026"), ("de", "2 Mär 2026")],
)
def test_a_month_is_small_where_the_language_writes_it_so(language: str, written: str) -> None:
    with translation.override(language):
        page = Template('{% load house %}{{ day|dated:"j M Y" }}')
        assert page.render(Context({"day": date(2026, 3, 2)})) == written


def test_no_page_writes_a_month_in_another_way() -> None:
    pages = Path(meldkamer.__file__).parent.glob("*/templates/**/*.html")
    assert [page.name for page in pages if re.search(r'\|date:"[^"]*M', page.read_text())] == []
