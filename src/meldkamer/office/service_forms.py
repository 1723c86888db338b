"""Forms about the service of a site: interrupt and resume it, test it in writing.

Shapes are checked here; what the rules and terms say is checked by the commands alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from meldkamer.contracts.models import Document, Interruption
from meldkamer.office import uploads
from meldkamer.office.access import Office
from meldkamer.office.forms import OfficeForm
from meldkamer.office.wording import TYPES
from meldkamer.sites.models import Site
from meldkamer.terms.loader import ALL_TYPES

WAYS = {
    "registered": _("registered letter"),
    "letter": _("letter"),
    "email": _("e-mail"),
}
_CAUSES = ("broken", "out_of_service", "unpaid")


def _paper(*, required: bool) -> forms.FileField:
    return forms.FileField(
        label=_("Document"),
        required=required,
        allow_empty_file=True,  # named as missing by the command, as every other fault is
        help_text=_("PDF, PNG, JPEG, TIFF or text, up to 10 MB. Kept as evidence."),
    )


class PaperForm(OfficeForm):
    """A form with a document."""

    def paper(self, site: Site, office: Office) -> Document | None:
        """Keep the document that was handed in; None without one. sites.faults.Refused."""
        return uploads.keep(self.cleaned_data.get("document"), site, office)


class InterruptForm(PaperForm):
    """Monitoring is interrupted (D908.1)."""

    cause = forms.ChoiceField(
        label=_("Cause"),
        choices=[(key, Interruption.Kind(key).label) for key in _CAUSES],
    )
    reason = forms.CharField(label=_("Reason"), max_length=400, widget=forms.Textarea)
    notice_at = forms.DateField(
        label=_("Notice sent on"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Needed for non-payment: monitoring stops only once the notice has run."),
    )
    notice_way = forms.ChoiceField(
        label=_("Sent by"), required=False, choices=[("", "–"), *WAYS.items()]
    )
    document = _paper(required=False)


class ResumeForm(PaperForm):
    """Monitoring goes on; after needless alarms on evidence (S12.2)."""

    reason = forms.CharField(
        label=_("Evidence"),
        max_length=400,
        widget=forms.Textarea,
        help_text=_("What was mended, by whom, and when."),
    )
    document = _paper(required=False)

    def __init__(self, *args: Any, evidence: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not evidence:
            self.fields["reason"].label = _("Reason")
            self.fields["reason"].help_text = ""


class WrittenTestForm(PaperForm):
    """A test asked for in writing (S20.1)."""

    asked_by = forms.CharField(label=_("Asked for by"), max_length=120)
    until = forms.DateTimeField(
        label=_("Until"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%d/%m/%Y %H:%M"],
    )
    reason = forms.CharField(label=_("Reason"), max_length=400, widget=forms.Textarea)
    areas = forms.MultipleChoiceField(
        label=_("Areas"), required=False, widget=forms.CheckboxSelectMultiple
    )
    zones = forms.MultipleChoiceField(
        label=_("Zones"), required=False, widget=forms.CheckboxSelectMultiple
    )
    types = forms.MultipleChoiceField(
        label=_("Alarm types"),
        choices=[(key, TYPES[key]) for key in ALL_TYPES],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Nothing ticked: the whole site is in test."),
    )
    document = _paper(required=False)

    def __init__(self, *args: Any, site: Site, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = list(site.zones.order_by("number"))
        self._choose(
            "zones", [(zone.number, f"{zone.number} {zone.name}".strip()) for zone in rows]
        )
        self._choose("areas", [(a, a) for a in sorted({zone.area for zone in rows if zone.area})])

    def _choose(self, name: str, choices: Iterable[tuple[str, str]]) -> None:
        """What the sheet has; a field with nothing to choose is left out."""
        found = list(choices)
        if found:
            self.fields[name].choices = found  # type: ignore[attr-defined]
        else:
            del self.fields[name]

    def chosen(self, name: str) -> tuple[str, ...]:
        """What was ticked."""
        return tuple(self.cleaned_data.get(name) or ())

    def until_at(self) -> datetime:
        """The end, as an instant."""
        found: datetime = self.cleaned_data["until"]
        return found
