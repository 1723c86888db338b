"""A form that is sent before its page is wired must not put what was typed into an address."""

from __future__ import annotations

import re
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "src" / "meldkamer"
_FORM = re.compile(r"<form\b[^>]*>")


def into_the_address(template: str) -> list[str]:
    """The forms that htmx posts, and that the browser alone would send as part of the address."""
    forms = _FORM.findall(template)
    return [form for form in forms if "hx-post" in form and 'method="post"' not in form]


def test_no_form_sends_what_was_typed_in_the_address() -> None:
    files = list(SOURCE.glob("*/templates/**/*.html"))
    assert len(files) > 30
    assert {file.name: into_the_address(file.read_text("utf-8")) for file in files} == {
        file.name: [] for file in files
    }


def test_a_form_without_a_method_is_found() -> None:
    assert into_the_address('<form class="a" hx-post="/x/"><input name="code"></form>') != []
