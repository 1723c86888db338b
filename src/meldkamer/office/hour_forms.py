"""The forms of opening hours: the week with its holidays, and single dates (S11.1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from meldkamer.office.forms import DurationField, OfficeForm
from meldkamer.sites.drafts import HoursDraft
from meldkamer.sites.models import OpeningHours

HOLIDAY = 7
MARGIN_S = 900


def _clock(label: Any) -> forms.TimeField:
    return forms.TimeField(
        label=label,
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )


class DayForm(OfficeForm):
    """Opening hours of one day of the week, with a second opening; all empty: closed."""

    opens = _clock(_("Opens"))
    closes = _clock(_("Closes"))
    opens_again = _clock(_("Opens again"))
    closes_again = _clock(_("Closes again"))

    @staticmethod
    def initial_of(rows: Sequence[OpeningHours]) -> dict[str, time | None]:
        """The first two openings of a day."""
        pairs = [(row.opens, row.closes) for row in rows if row.opens is not None][:2]
        names = (("opens", "closes"), ("opens_again", "closes_again"))
        return {
            name: value
            for two, pair in zip(names, pairs, strict=False)
            for name, value in zip(two, pair, strict=True)
        }

    def pairs(self) -> list[tuple[time | None, time | None]]:
        """The openings that were typed."""
        given = self.cleaned_data
        found = [
            (given.get("opens"), given.get("closes")),
            (given.get("opens_again"), given.get("closes_again")),
        ]
        return [pair for pair in found if pair != (None, None)]


class AreaForm(OfficeForm):
    """What holds for all hours of a site or area."""

    margin_s = DurationField(
        label=_("Margin"),
        required=False,
        help_text=_("On both sides, as 20m. Empty: 15m (S11.1)."),
    )
    repeat_s = DurationField(
        label=_("Still open: tell again every"),
        required=False,
        help_text=_("As 30m. Empty: as the terms say."),
    )
    holidays = forms.BooleanField(
        label=_("Public holidays have hours of their own, or none"), required=False
    )

    @staticmethod
    def initial_of(rows: Sequence[OpeningHours]) -> dict[str, Any]:
        """As the rows have it."""
        first = rows[0] if rows else None
        return {
            "margin_s": first.margin_s if first else MARGIN_S,
            "repeat_s": first.repeat_s if first else None,
            "holidays": any(row.weekday == HOLIDAY for row in rows),
        }

    def drafts(self, days: Sequence[DayForm], area: str) -> list[HoursDraft]:
        """The whole week, Monday first, then the holidays."""
        margin_s = self.cleaned_data["margin_s"] or MARGIN_S
        repeat_s = self.cleaned_data["repeat_s"]
        found = []
        for weekday, day in enumerate(days):
            pairs = day.pairs()
            if weekday == HOLIDAY:
                if not self.cleaned_data["holidays"]:
                    continue
                pairs = pairs or [(None, None)]
            found += [
                HoursDraft(opens, closes, weekday, None, area, margin_s, repeat_s)
                for opens, closes in pairs
            ]
        return found


class DateForm(OfficeForm):
    """One day that is different; without times it is closed all day."""

    on_date = forms.DateField(
        label=_("Date"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d", "%d-%m-%Y", "%d/%m/%Y"],
    )
    opens = _clock(_("Opens"))
    closes = _clock(_("Closes"))
    area = forms.CharField(
        label=_("Area"), max_length=8, required=False, help_text=_("Empty: the whole site.")
    )

    def draft(self, margin_s: int, repeat_s: int | None) -> HoursDraft:
        """What was typed."""
        given = self.cleaned_data
        day: date = given["on_date"]
        return HoursDraft(
            given["opens"], given["closes"], None, day, given["area"], margin_s, repeat_s
        )
