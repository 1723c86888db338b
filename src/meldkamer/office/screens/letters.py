"""The office's page of letters: what must be printed and posted, and what went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from meldkamer.notify.post import queries
from meldkamer.notify.post.commands import LetterRefused
from meldkamer.notify.post.models import Letter
from meldkamer.office.access import Office
from meldkamer.office.screens.words import names_of

STATES: dict[str, str | Promise] = {
    Letter.State.TO_PRINT: _("to print"),
    Letter.State.PRINTED: _("printed"),
    Letter.State.POSTED: _("posted"),
    Letter.State.RETURNED: _("came back"),
    Letter.State.TESTED: _("printed, a test"),
}
_REFUSALS: dict[str, str | Promise] = {
    "not_open": _("This letter was posted already."),
    "not_printed": _("This letter is not printed."),
    "not_posted": _("This letter was not posted."),
    "not_there": _("There is no such letter with your providers."),
    "none_chosen": _("No letter was chosen. Tick at least one."),
    "number": _("This is no number of a registered letter. Expected e.g. RR123456785BE."),
    "reason": _("Say why."),
}


def refusal(fault: LetterRefused) -> str:
    """Why nothing was done."""
    return str(_REFUSALS[fault.code])


@dataclass(frozen=True, slots=True)
class Row:
    """A letter with what the page says of it. number: as it was typed a moment ago."""

    letter: Letter
    provider: str
    state: str
    late: bool
    printed_by: str
    posted_by: str
    chosen: bool
    number: str
    faulty: bool


def rows(
    office: Office,
    letters: list[Letter],
    typed: Mapping[str, str] | None = None,
    chosen: frozenset[int] = frozenset(),
    faulty: int = 0,
) -> list[Row]:
    """Letters as they stand on the page. faulty: the one that something was refused for."""
    providers = {provider.pk: provider.name for provider in office.providers}
    names = names_of([actor for one in letters for actor in (one.printed_by, one.posted_by)])
    return [
        Row(
            letter=one,
            provider=providers.get(one.provider_id, ""),
            state=str(STATES[one.state]),
            late=one.posted_at is None and one.late_at <= office.now,
            printed_by=names.get(one.printed_by, one.printed_by),
            posted_by=names.get(one.posted_by, one.posted_by),
            chosen=one.pk in chosen,
            number=(typed or {}).get(f"number-{one.pk}", ""),
            faulty=one.pk == faulty,
        )
        for one in letters
    ]


def queue(office: Office) -> list[Letter]:
    """What must still be printed or posted."""
    return queries.to_post(office.provider_ids)
