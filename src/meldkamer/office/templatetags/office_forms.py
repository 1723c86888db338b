"""Words and form faults in the office's templates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django import template

from meldkamer.office import durations
from meldkamer.office.forms import OfficeForm
from meldkamer.office.wording import CALL_RESULTS, LANGUAGES, OPTIONS, TYPES, word
from meldkamer.sites.kinds import KINDS

register = template.Library()


@dataclass(frozen=True, slots=True)
class FormFault:
    """One fault: the field it is about (id "" for the form as a whole) and how to mend it."""

    id: str
    label: str
    text: str


@register.simple_tag
def form_faults(forms: Iterable[OfficeForm]) -> list[FormFault]:
    """All faults of these forms in the order of their fields."""
    found = []
    for form in forms:
        if not form.is_bound:
            continue
        found += [FormFault("", "", str(text)) for text in form.non_field_errors()]
        for field in form:
            found += [
                FormFault(field.id_for_label or field.auto_id, str(field.label), str(text))
                for text in field.errors
            ]
    return found


@register.filter
def type_word(key: str) -> str:
    """An alarm type in the reader's language."""
    return word(TYPES, key)


@register.filter
def kind_word(key: str) -> str:
    """A kind of detector."""
    return word(KINDS, key)


@register.filter
def option_word(key: str) -> str:
    """An option of the sheet."""
    return word(OPTIONS, key)


@register.filter
def language_word(key: str) -> str:
    """A language."""
    return word(LANGUAGES, key)


@register.filter
def call_word(key: str) -> str:
    """What came of a call."""
    return word(CALL_RESULTS, key)


@register.filter
def duration(seconds: int | None) -> str:
    """24h, 90m, 7d."""
    return durations.write_s(seconds)
