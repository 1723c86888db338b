"""The office's forms: what a person types becomes a draft, and faults find their field again.

Forms check shapes (a number is a number); what the terms and the other sites say is checked by the
commands alone. `take` runs a command with the draft and puts its faults on the fields.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from meldkamer.office import durations
from meldkamer.office.wording import LANGUAGES, OPTIONS, TYPES, fault_text
from meldkamer.rules.sheets import OPTIONS as ALL_OPTIONS
from meldkamer.sites.checking import KINDS as ALL_KINDS
from meldkamer.sites.drafts import (
    ContactDraft,
    CustomerDraft,
    InstallerDraft,
    SiteDraft,
    TransmitterDraft,
    ZoneDraft,
)
from meldkamer.sites.faults import Refused
from meldkamer.sites.kinds import KINDS
from meldkamer.sites.models import Contact, Customer, Installer, Site, Transmitter, Zone
from meldkamer.sites.phones import PhoneFault, normal
from meldkamer.terms.loader import ALL_TYPES
from meldkamer.terms.model import Terms

Done = TypeVar("Done")
Choices = list[tuple[str, Any]]


class DurationField(forms.CharField):
    """Seconds, typed as 90m, 24h or 7d; empty is None."""

    def to_python(self, value: Any) -> Any:
        """Seconds or None."""
        text = super().to_python(value)
        if not text:
            return None
        try:
            return durations.read_s(text)
        except durations.DurationFault:
            raise forms.ValidationError(
                gettext("%(found)s is no duration. Expected e.g. 90m, 24h or 7d.") % {"found": text}
            ) from None

    def prepare_value(self, value: Any) -> Any:
        """As a person writes it."""
        return durations.write_s(value) if isinstance(value, int) else value


class ClockTimesField(forms.CharField):
    """Times of day, typed as 03:00, 15:00; empty is none."""

    def to_python(self, value: Any) -> Any:
        """A tuple of times, earliest first."""
        words = (super().to_python(value) or "").replace(",", " ").split()
        try:
            return tuple(sorted({datetime.strptime(word, "%H:%M").time() for word in words}))  # noqa: DTZ007 - a time of day has no zone
        except ValueError:
            raise forms.ValidationError(
                gettext("Expected times of day, e.g. 03:00, 15:00.")
            ) from None

    def prepare_value(self, value: Any) -> Any:
        """As a person writes them."""
        if isinstance(value, (list, tuple)):
            return ", ".join(clock.strftime("%H:%M") for clock in value)
        return value

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether other times were typed."""
        try:
            return bool(tuple(initial or ()) != self.to_python(data))
        except forms.ValidationError:
            return True


class PhoneField(forms.CharField):
    """A telephone number, in the one form in which it is kept; empty is ""."""

    def __init__(self, *, read: Callable[[str], str] = normal, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._read = read

    def to_python(self, value: Any) -> str:
        """The number; `read` raises PhoneFault for none."""
        text = super().to_python(value) or ""
        try:
            return self._read(text) if text else ""
        except PhoneFault:
            raise forms.ValidationError(
                gettext("%(found)s is no telephone number.") % {"found": text}
            ) from None


class OfficeForm(forms.Form):
    """A form whose fields name their faults."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.setdefault("autocomplete", "off")
            if isinstance(field.widget, forms.Textarea):
                field.widget.attrs["rows"] = "2"

    def take(self, command: Callable[[], Done]) -> Done | None:
        """What the command returns; None when it refused, then the fields say why."""
        try:
            return command()
        except Refused as refused:
            for fault in refused.faults:
                name = fault.field.rsplit(".", 1)[-1]
                field = name if name in self.fields else None
                self.add_error(field, fault_text(fault))
            return None

    def text(self, name: str) -> str:
        """A cleaned text, never None."""
        return str(self.cleaned_data.get(name) or "")


def choices_of(words: Any, keys: Any, *, empty: bool = False) -> Choices:
    """These keys with their words; empty: none may be chosen."""
    found: Choices = [(key, words[key]) for key in keys]
    return [("", "–"), *found] if empty else found


class CustomerForm(OfficeForm):
    """Who pays (S5.2)."""

    name = forms.CharField(label=_("Name"), max_length=120)
    kind = forms.ChoiceField(label=_("Consumer or business"), choices=Customer.Kind.choices)
    language = forms.ChoiceField(label=_("Language"), choices=choices_of(LANGUAGES, LANGUAGES))
    email = forms.EmailField(label=_("E-mail"), required=False)
    phone = forms.CharField(label=_("Telephone"), max_length=40, required=False)

    def draft(self) -> CustomerDraft:
        """What was typed."""
        return CustomerDraft(**self.cleaned_data)


class InstallerForm(OfficeForm):
    """Who is told of a transmitter's faults."""

    name = forms.CharField(label=_("Name"), max_length=120)
    email = forms.EmailField(label=_("E-mail"), required=False)
    phone = forms.CharField(label=_("Telephone"), max_length=40, required=False)
    language = forms.ChoiceField(label=_("Language"), choices=choices_of(LANGUAGES, LANGUAGES))

    def draft(self) -> InstallerDraft:
        """What was typed."""
        return InstallerDraft(**self.cleaned_data)


class SiteForm(OfficeForm):
    """A site and its sheet. Plans and formulas are those of the provider's terms."""

    name = forms.CharField(label=_("Name of the site"), max_length=120)
    street = forms.CharField(label=_("Street and number"), max_length=160, required=False)
    postal_code = forms.CharField(label=_("Postal code"), max_length=10, required=False)
    town = forms.CharField(label=_("Town"), max_length=80, required=False)
    latitude = forms.FloatField(label=_("Latitude"), required=False, localize=False)
    longitude = forms.FloatField(label=_("Longitude"), required=False, localize=False)
    language = forms.ChoiceField(label=_("Language"), choices=choices_of(LANGUAGES, LANGUAGES))
    installer = forms.ModelChoiceField(
        label=_("Installer"), queryset=Installer.objects.none(), required=False, empty_label="–"
    )
    premises_phone = forms.CharField(
        label=_("Telephone at the premises"), max_length=40, required=False
    )
    premises_person = forms.CharField(label=_("Who answers there"), max_length=120, required=False)
    police_zone = forms.CharField(label=_("Police zone"), max_length=80, required=False)
    plan = forms.ChoiceField(label=_("Plan"))
    formula = forms.ChoiceField(label=_("Formula"), required=False)
    types = forms.MultipleChoiceField(
        label=_("Alarm types"),
        choices=choices_of(TYPES, ALL_TYPES),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked: every type is handled (S6.3)."),
    )
    left_out_signed = forms.BooleanField(
        label=_("The customer signed for leaving out hold-up, fire or medical (S6.3)"),
        required=False,
    )
    options = forms.MultipleChoiceField(
        label=_("Options"),
        choices=choices_of(OPTIONS, ALL_OPTIONS),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    test_period_s = DurationField(
        label=_("Test message every"),
        required=False,
        help_text=_("As 24h or 7d. Empty: line tests are not watched (S10.3)."),
    )
    test_times = ClockTimesField(
        label=_("Test messages at"),
        required=False,
        help_text=_("Times of day at the site, as 03:00, 15:00; they go before the period."),
    )
    test_wait_s = DurationField(
        label=_("Missed after"), required=False, help_text=_("Empty: as the terms say.")
    )
    power_delay_s = DurationField(
        label=_("Power failure: act after"),
        required=False,
        help_text=_("Empty: as the terms say (S10.1)."),
    )
    app_cloud = forms.CharField(
        label=_("App of the maker’s cloud"),
        max_length=80,
        required=False,
        help_text=_("The name of the cloud. Empty: our own app (S8.3)."),
    )
    app_notifies = forms.BooleanField(
        label=_("That cloud notifies the customer by itself: we send no second one (S8.3)"),
        required=False,
    )
    app_managed_by = forms.CharField(
        label=_("App managed by"),
        max_length=120,
        required=False,
        help_text=_("The installer who manages it. Empty: the installer of the site (S8.5)."),
    )
    access_note = forms.CharField(
        label=_("Access"), required=False, widget=forms.Textarea, max_length=2000
    )
    key_note = forms.CharField(label=_("Keys"), max_length=160, required=False)

    def __init__(self, *args: Any, terms: Terms, provider_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["plan"].choices = [(k, p.label) for k, p in terms.plans.items()]  # type: ignore[attr-defined]
        formulas = [(k, f.label) for k, f in terms.formulas.items()]
        self.fields["formula"].choices = [("", "–"), *formulas]  # type: ignore[attr-defined]
        self.fields["installer"].queryset = Installer.objects.filter(  # type: ignore[attr-defined]
            provider_id=provider_id
        ).order_by("name")
        if not any(plan.formula for plan in terms.plans.values()):
            self.fields["formula"].help_text = _("This plan takes none.")

    @staticmethod
    def initial_of(site: Site) -> dict[str, Any]:
        """The site as the form shows it."""
        names = (f for f in SiteForm.base_fields if f not in ("left_out_signed", "installer"))
        return {
            **{name: getattr(site, name) for name in names},
            "installer": site.installer_id,
            "left_out_signed": site.types is not None,
        }

    def draft(self) -> SiteDraft:
        """What was typed."""
        given = {k: v for k, v in self.cleaned_data.items() if k != "installer"}
        return SiteDraft(
            **given | {"types": tuple(given["types"]) or None, "options": tuple(given["options"])}
        )


class TransmitterForm(OfficeForm):
    """What dials in. The key is typed once and never shown again."""

    account = forms.CharField(label=_("Account"), max_length=20)
    receiver = forms.CharField(
        label=_("Receiver"), max_length=8, required=False, help_text=_("Empty: any.")
    )
    line = forms.CharField(
        label=_("Line"), max_length=8, required=False, help_text=_("Empty: any.")
    )
    key = forms.CharField(
        label=_("Key"),
        required=False,
        max_length=200,
        widget=forms.PasswordInput(render_value=False),
        help_text=_(
            "hex:… or text:…, 16, 24 or 32 bytes; never shown again. Empty: not encrypted."
        ),
    )
    label = forms.CharField(label=_("Description"), max_length=80, required=False)
    supervised = forms.BooleanField(
        label=_("Test messages are expected of it (S10.3)"), required=False, initial=True
    )

    def __init__(self, *args: Any, row: Transmitter | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["key"].widget.attrs["autocomplete"] = "new-password"
        if row is not None and row.key_bits:
            self.fields["key"].help_text = gettext(
                "A key of %(bits)s bits is set. Empty: it stays."
            ) % {"bits": row.key_bits}
            self.fields["plain"] = forms.BooleanField(
                label=_("Remove the key: it sends unencrypted"), required=False
            )

    @staticmethod
    def initial_of(row: Transmitter) -> dict[str, Any]:
        """The transmitter as the form shows it: never its key."""
        names = ("account", "receiver", "line", "label", "supervised")
        return {name: getattr(row, name) for name in names}

    def draft(self, clock_offset_s: int = 0) -> TransmitterDraft:
        """What was typed."""
        return TransmitterDraft(**self.cleaned_data, clock_offset_s=clock_offset_s)


class ZoneForm(OfficeForm):
    """A zone (S9.2)."""

    number = forms.CharField(label=_("Number"), max_length=8)
    name = forms.CharField(label=_("Name"), max_length=80, required=False)
    area = forms.CharField(label=_("Area"), max_length=8, required=False)
    kind = forms.ChoiceField(
        label=_("Kind"), choices=choices_of(KINDS, ALL_KINDS, empty=True), required=False
    )
    detector = forms.CharField(
        label=_("Detector"),
        max_length=80,
        required=False,
        help_text=_("Zones with the same detector count as one (S9.1)."),
    )
    type = forms.ChoiceField(
        label=_("Handled as"),
        choices=choices_of(TYPES, ALL_TYPES, empty=True),
        required=False,
        help_text=_("Empty: as the code says (M1.2)."),
    )
    service_phone = forms.CharField(label=_("Service to call"), max_length=40, required=False)

    @staticmethod
    def initial_of(row: Zone) -> dict[str, Any]:
        """The zone as the form shows it."""
        return {name: getattr(row, name) for name in ZoneForm.base_fields}

    def draft(self) -> ZoneDraft:
        """What was typed."""
        return ZoneDraft(**self.cleaned_data)


class ContactForm(OfficeForm):
    """A person on the call list (S17.1)."""

    name = forms.CharField(label=_("Name"), max_length=120)
    phone = forms.CharField(label=_("Telephone"), max_length=40, required=False)
    email = forms.EmailField(label=_("E-mail"), required=False)
    language = forms.ChoiceField(label=_("Language"), choices=choices_of(LANGUAGES, LANGUAGES))
    relation = forms.CharField(label=_("Role"), max_length=80, required=False)
    minutes_away = forms.IntegerField(
        label=_("Minutes away"), required=False, min_value=0, max_value=600
    )
    has_keys = forms.BooleanField(label=_("Has keys"), required=False, initial=True)
    knows_codes = forms.BooleanField(label=_("Knows the codes"), required=False, initial=True)
    confirmed_on = forms.DateField(
        label=_("Confirmed on (S17.2)"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d", "%d-%m-%Y", "%d/%m/%Y"],
    )
    reachable = forms.CharField(
        label=_("Can be reached"),
        max_length=120,
        required=False,
        help_text=_("As mon-fri 08:00-18:00, sat. Empty: always. He is called all the same."),
    )

    @staticmethod
    def initial_of(row: Contact) -> dict[str, Any]:
        """The contact as the form shows it."""
        return {name: getattr(row, name) for name in ContactForm.base_fields}

    def draft(self) -> ContactDraft:
        """What was typed."""
        return ContactDraft(**self.cleaned_data)
