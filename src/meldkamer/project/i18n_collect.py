"""Collects every sentence a person reads, from templates and code, without GNU gettext."""

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_python

#: one moment for ever: a catalogue changes only when a sentence does
MADE = datetime(2026, 1, 1, tzinfo=UTC)
KEYWORDS = DEFAULT_KEYWORDS | {
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
}


def collect(package: Path) -> Catalog:
    """Every sentence of templates and code, with where it stands (no line numbers: they churn)."""
    catalog = empty_catalog(None)
    for file in sorted(package.rglob("*")):
        if file.suffix not in (".py", ".html", ".txt") or not file.is_file():
            continue
        where = file.relative_to(package).as_posix()
        if "/migrations/" in where or (file.suffix != ".py" and "/templates/" not in where):
            continue
        for _line, function, message, comments in _sentences(file):
            texts = message if isinstance(message, tuple) else (message,)
            context, *ids = texts if "pgettext" in function else (None, *texts)
            ids = [text for text in ids if text]
            if ids:
                catalog.add(
                    tuple(ids[:2]) if len(ids) > 1 else ids[0],
                    locations=[(where, 1)],
                    auto_comments=comments,
                    context=context,
                )
    return catalog


def _sentences(file: Path) -> Iterator[tuple[int, str, Any, Any]]:
    text = file.read_text("utf-8")
    if file.suffix != ".py":
        from django.utils.translation.template import templatize

        # what is no sentence becomes X: leading blanks would be faulty indentation
        text = "\n".join(line.lstrip() for line in templatize(text, str(file)).splitlines())
    elif not re.search(r"gettext|\bN_\(", text):
        return iter(())
    try:
        found = extract_python(
            io.BytesIO(text.encode()), KEYWORDS, ["Translators:"], {"encoding": "utf-8"}
        )
        return iter([(line, str(function), ids, notes) for line, function, ids, notes in found])
    except (SyntaxError, ValueError) as fault:
        raise ValueError(f"{file}: sentences cannot be read: {fault}") from None


def empty_catalog(language: str | None) -> Catalog:
    """A catalogue without a sentence, with a header that never changes."""
    return Catalog(
        locale=language,
        domain="django",
        project="meldkamer",
        version="1",
        msgid_bugs_address="",
        last_translator="meldkamer",
        language_team="meldkamer",
        header_comment="# Translations of meldkamer. Apache-2.0.",
        creation_date=MADE,
        revision_date=MADE,
        fuzzy=False,
    )
