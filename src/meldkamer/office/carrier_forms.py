"""The form of a carrier: its fields come from the kind's own settings, its secrets go in only.

A field is called as the reference manual calls it, so the two can be read side by side. What a
setting may be is said by the kind alone; this reads what was typed and puts the fault at its field.
A secret is never shown again: an empty field leaves it as it is.
"""

from __future__ import annotations

import json
import re
import types
from collections.abc import Mapping
from typing import Any, Literal, Union, get_args, get_origin

import msgspec
from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from meldkamer.notify.fault_words import said
from meldkamer.notify.kinds import SANDBOX, Kind, SettingsFault, settings_type
from meldkamer.notify.models import WayOut
from meldkamer.office.forms import OfficeForm, PhoneField
from meldkamer.sites.phones import of_service

_SETTING, _SECRET = "s_", "x_"
#: no number: of every provider
EVERY = "every"
_MOST = 500


class JsonField(forms.CharField):
    """A setting with several values of its own, as JSON."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> Any:
        """What stands there; None for nothing."""
        text = super().to_python(value)
        if not text:
            return None
        try:
            return json.loads(text)
        except json.JSONDecodeError as fault:
            raise forms.ValidationError(
                gettext("No JSON (line %(line)s). Expected e.g. {}.") % {"line": fault.lineno}
            ) from None

    def prepare_value(self, value: Any) -> Any:
        """As it is read again; nothing for nothing."""
        if value is None or isinstance(value, str):
            return value or ""
        return json.dumps(value, ensure_ascii=False)


class ListField(forms.CharField):
    """Several words or numbers with commas between them."""

    def __init__(self, item: type, **options: Any) -> None:
        super().__init__(**options)
        self.item = item

    def to_python(self, value: Any) -> Any:
        """A list; None for nothing."""
        words = [word.strip() for word in (super().to_python(value) or "").split(",")]
        words = [word for word in words if word]
        if not words:
            return None
        try:
            return [self.item(word) for word in words]
        except ValueError:
            raise forms.ValidationError(
                gettext("Expected whole numbers with commas between them.")
            ) from None

    def prepare_value(self, value: Any) -> Any:
        """As a person writes them."""
        return value if isinstance(value, str) else ", ".join(str(one) for one in value or ())


def _field(found: msgspec.structs.FieldInfo) -> forms.Field:
    """The form's field of one setting."""
    kind, optional = _plain(found.type)
    required = bool(found.required)
    common: dict[str, Any] = {"required": required, "help_text": _help(found)}
    if get_origin(kind) is Literal:
        choices = [(str(word), str(word)) for word in get_args(kind)]
        return forms.ChoiceField(choices=choices, **common)
    if kind is bool:
        return forms.BooleanField(**{**common, "required": False})
    if kind is int:
        return forms.IntegerField(**common)
    if kind is float:
        return forms.FloatField(**common)
    if kind is str and not optional:
        return forms.CharField(max_length=_MOST, **common)
    if get_origin(kind) in (tuple, list):
        item = next((one for one in get_args(kind) if one is not Ellipsis), str)
        if item in (str, int):
            return ListField(item, max_length=_MOST, **common)
    return JsonField(max_length=4000, **common)


def _plain(kind: Any) -> tuple[Any, bool]:
    """A type without its None."""
    if get_origin(kind) in (Union, types.UnionType):
        others = [one for one in get_args(kind) if one is not type(None)]
        if len(others) == 1:
            return others[0], True
    return kind, False


def _help(found: msgspec.structs.FieldInfo) -> str:
    """What holds when nothing is typed; "" for nothing, and for a choice that is never empty."""
    default = () if found.required or found.default is msgspec.NODEFAULT else found.default
    if not default or isinstance(default, (bool, msgspec.Struct)):
        return ""
    if get_origin(_plain(found.type)[0]) is Literal:
        return ""
    if isinstance(default, (tuple, list)):
        default = ", ".join(str(one) for one in default)
    return gettext("%(value)s when empty") % {"value": default}


class CarrierForm(OfficeForm):
    """One carrier: what every one has, then the settings of its kind, then its secrets."""

    name = forms.CharField(max_length=60, label=_("Name"))
    provider = forms.ChoiceField(label=_("Of"))
    priority = forms.IntegerField(
        min_value=1, max_value=99, label=_("Order"), help_text=_("1 is asked first")
    )
    per_second = forms.FloatField(
        min_value=0.01, required=False, label=_("Messages a second"),
        help_text=_("empty: as fast as it takes them"),
    )  # fmt: skip
    two_way = forms.BooleanField(
        required=False, label=_("Answers come back (S7.3)"),
    )  # fmt: skip
    help_phone = PhoneField(
        read=of_service, max_length=24, required=False, label=_("Help desk"),
        help_text=_("whom the operator calls when it fails"),
    )  # fmt: skip

    def __init__(
        self, kind: Kind, providers: list[tuple[str, str]], row: WayOut | None, data: Any = None
    ) -> None:
        self.kind, self.row = kind, row
        super().__init__(data, initial=_initial(kind, row))
        provider = self.fields["provider"]
        assert isinstance(provider, forms.ChoiceField)
        provider.choices = providers
        if row is not None:
            del self.fields["provider"]
        if not kind.two_way:
            del self.fields["two_way"]  # nobody can answer to a letter or a placed call
        for found in msgspec.structs.fields(settings_type(kind)):
            field = _field(found)
            field.label = found.name
            field.widget.attrs["autocomplete"] = "off"
            self.fields[_SETTING + found.name] = field
        for name in kind.secrets:
            self.fields[_SECRET + name] = forms.CharField(
                required=False,
                max_length=_MOST,
                label=name,
                strip=False,
                widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
                help_text=_kept(row),
            )

    def provider_id(self) -> int | None:
        """Whose it is; None: every provider's."""
        text = self.text("provider")
        return None if text == EVERY else int(text)

    def settings(self) -> dict[str, Any]:
        """What was typed; nothing for what was left empty, so that its default holds."""
        found = {}
        for name, value in self.cleaned_data.items():
            if name.startswith(_SETTING) and value not in (None, ""):
                found[name.removeprefix(_SETTING)] = value
        return found

    def secrets(self) -> dict[str, str]:
        """Secrets that were typed; the others stay."""
        return {
            name.removeprefix(_SECRET): str(value)
            for name, value in self.cleaned_data.items()
            if name.startswith(_SECRET) and value
        }

    def common(self) -> Mapping[str, Any]:
        """What every carrier has."""
        names = ("name", "priority", "per_second", "two_way", "help_phone")
        return {name: self.cleaned_data[name] for name in names if name in self.cleaned_data}

    def put_fault(self, fault: SettingsFault) -> None:
        """At the field that it names, else on top."""
        text = str(fault)
        for name in self.fields:
            plain = name.removeprefix(_SETTING).removeprefix(_SECRET)
            if re.search(rf"(`|\$\.){re.escape(plain)}\b|: {re.escape(plain)}: ", text):
                # the field says which it is already
                self.add_error(name, said(text.removeprefix(f"{self.kind.name}: {plain}: ")))
                return
        self.add_error(None, said(text))


def _kept(row: WayOut | None) -> str:
    if row is None or row.secrets_sealed is None:
        return gettext("never shown after you saved it")
    return gettext("kept and never shown; type a new one to replace it")


def _initial(kind: Kind, row: WayOut | None) -> dict[str, Any]:
    if row is None:
        defaults = {
            _SETTING + found.name: found.default
            for found in msgspec.structs.fields(settings_type(kind))
            if isinstance(found.default, bool) or get_origin(found.type) is Literal
        }
        return {"priority": 1, "two_way": kind.two_way, **defaults}
    assert kind.name != SANDBOX
    read = msgspec.to_builtins(msgspec.convert(row.settings, settings_type(kind), strict=False))
    names = ("name", "priority", "per_second", "two_way", "help_phone")
    return {
        **{name: getattr(row, name) for name in names},
        **{_SETTING + name: value for name, value in read.items()},
    }
