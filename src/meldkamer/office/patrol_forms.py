"""The forms of the patrol units: a unit, its shifts, and the codes of a site for who is on site.

Forms check shapes alone; a unit's name that is taken is found by the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from meldkamer.notify.models import PatrolUnit
from meldkamer.office.forms import OfficeForm, PhoneField
from meldkamer.office.wording import DAYS, LANGUAGES
from meldkamer.rules import shifts
from meldkamer.sites.models import SiteCode
from meldkamer.sites.site_codes import LONGEST

WEEK = [(key, DAYS[key]) for key in "0123456"]


class PlaceField(forms.CharField):
    """A position typed as 51.0543, 3.7174; empty is None."""

    def to_python(self, value: Any) -> Any:
        """(latitude, longitude) or None."""
        text = super().to_python(value)
        if not text:
            return None
        parts = text.split(",")
        try:
            latitude, longitude = (float(part) for part in parts)
        except ValueError:
            latitude, longitude = 91.0, 181.0
        if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
            raise forms.ValidationError(gettext("Expected a position, e.g. 51.0543, 3.7174."))
        return latitude, longitude

    def prepare_value(self, value: Any) -> Any:
        """As a person writes it."""
        return f"{value[0]}, {value[1]}" if isinstance(value, tuple) else value


class UnitForm(OfficeForm):
    """A unit that can be sent (S6.1)."""

    name = forms.CharField(label=_("Name"), max_length=40)
    phone = PhoneField(label=_("Telephone"), max_length=40, required=False)
    language = forms.ChoiceField(label=_("Language"), choices=list(LANGUAGES.items()))
    place = PlaceField(
        label=_("Position"), max_length=60, required=False,
        help_text=_("Where it stands by day; its page tells where it is."),
    )  # fmt: skip
    has_page = forms.BooleanField(
        label=_("Uses the page on a phone"), required=False,
        help_text=_("Without: it is told by radio and counts as sent at once."),
    )  # fmt: skip

    @staticmethod
    def initial_of(unit: PatrolUnit) -> dict[str, Any]:
        """A unit as the form shows it."""
        known = unit.latitude is not None and unit.longitude is not None
        return {
            "name": unit.name, "phone": unit.phone, "language": unit.language,
            "has_page": unit.has_page, "place": (unit.latitude, unit.longitude) if known else None,
        }  # fmt: skip

    def fields_of(self) -> dict[str, Any]:
        """What was typed, as the unit's columns."""
        typed = dict(self.cleaned_data)
        latitude, longitude = typed.pop("place") or (None, None)
        return typed | {"latitude": latitude, "longitude": longitude}


class ShiftForm(OfficeForm):
    """A shift that comes back every week."""

    days = forms.MultipleChoiceField(
        label=_("Days on which it begins"), choices=WEEK, widget=forms.CheckboxSelectMultiple
    )
    begins = forms.TimeField(
        label=_("from"), widget=forms.TimeInput(attrs={"placeholder": "22:00"})
    )
    ends = forms.TimeField(label=_("until"), widget=forms.TimeInput(attrs={"placeholder": "06:00"}))

    def shift(self) -> Mapping[str, Any] | None:
        """The shift; None with a fault on its field."""
        typed = self.cleaned_data
        try:
            return shifts.repeated(map(int, typed["days"]), typed["begins"], typed["ends"])
        except shifts.ShiftFault:
            self.add_error("ends", gettext("It must not end when it begins."))
            return None


class PlannedShiftForm(OfficeForm):
    """A shift of one date."""

    starts = forms.DateTimeField(label=_("from"), widget=forms.DateTimeInput(
        attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"))  # fmt: skip
    stops = forms.DateTimeField(label=_("until"), widget=forms.DateTimeInput(
        attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"))  # fmt: skip

    def shift(self, zone: ZoneInfo) -> Mapping[str, Any] | None:
        """The shift, in the unit's own time; None with a fault on its field."""
        begins, ends = (
            self.cleaned_data[name].replace(tzinfo=zone) for name in ("starts", "stops")
        )
        try:
            return shifts.planned(begins, ends)
        except shifts.ShiftFault:
            self.add_error("stops", gettext("It must end after it begins."))
            return None


class SiteCodeForm(OfficeForm):
    """A code of the site for the patrol; never shown again."""

    kind = forms.ChoiceField(label=_("Kind"), choices=SiteCode.Kind.choices)
    code = forms.CharField(
        label=_("Code"), max_length=LONGEST,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
