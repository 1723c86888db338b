"""The forms about the emergency services: their numbers by zone, what they ask of a site (B1)."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from meldkamer.office.forms import OfficeForm, choices_of
from meldkamer.office.wording import LANGUAGES
from meldkamer.sites.models import EmergencyNote, ServiceNumber, Site
from meldkamer.sites.service_numbers import EmergencyDraft, ServiceNumberDraft


class ServiceNumberForm(OfficeForm):
    """A service's number in a zone, from a day on."""

    service = forms.ChoiceField(label=_("Service"), choices=ServiceNumber.Service.choices)
    zone = forms.CharField(
        label=_("Zone"),
        max_length=80,
        help_text=_("As it stands on the sites: their police zone."),
    )
    number = forms.CharField(
        label=_("Number"), max_length=24, help_text=_("As 101, or +32 9 266 61 11.")
    )
    language = forms.ChoiceField(
        label=_("Language spoken there"), choices=choices_of(LANGUAGES, ("nl", "fr", "de"))
    )
    postal_codes = forms.CharField(
        label=_("Postal codes"),
        max_length=4000,
        required=False,
        widget=forms.Textarea,
        help_text=_("For sites without this zone by name: 9000, 9030-9052."),
    )
    valid_from = forms.DateField(
        label=_("From"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("Empty: from today. The same zone and day again corrects the row."),
    )

    def draft(self) -> ServiceNumberDraft:
        """What was typed."""
        return ServiceNumberDraft(**self.cleaned_data)


class EmergencyForm(OfficeForm):
    """What the services ask of a site."""

    building = forms.CharField(label=_("Kind of building"), max_length=120, required=False)
    risk = forms.CharField(label=_("Kind of risk"), max_length=160, required=False)
    dangers = forms.CharField(
        label=_("Dangers"),
        max_length=300,
        required=False,
        help_text=_("What somebody who goes in must know: gas, dogs, chemicals, a well."),
    )
    people = forms.CharField(
        label=_("People on site"),
        max_length=300,
        required=False,
        help_text=_("Who may be inside, and where: asked by fire brigade and medical service."),
    )

    @staticmethod
    def initial_of(site: Site) -> dict[str, str]:
        """What is noted now."""
        row = EmergencyNote.objects.filter(site=site).first()
        names = ("building", "risk", "dangers", "people")
        return {name: getattr(row, name) for name in names} if row else {}

    def draft(self) -> EmergencyDraft:
        """What was typed."""
        return EmergencyDraft(**{name: self.text(name) for name in self.fields})
