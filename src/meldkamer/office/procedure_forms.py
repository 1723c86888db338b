"""The form of a procedure: one small form a step, and its period, reason and end.

Forms check shapes; the law and soundness are checked by the commands alone. A step's fields are
those that its kind has; which kinds there are is said by the button that adds it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from meldkamer.office.forms import DurationField, OfficeForm
from meldkamer.office.procedure_wording import (
    EXHAUSTED,
    IDENTIFY,
    SERVICES,
    WHEN,
    WHO,
)
from meldkamer.sites.models import Site
from meldkamer.terms.model import Procedure, Step

MOST_STEPS = 24
_CONTACT = "contact:"
_OF_REQUEST = ("verified_and_consulted", "unsatisfied", "consulted_or_exhausted", "exhausted")
_OF_PATROL = ("exhausted", "in_turn")
#: the fields of each kind of step, and what a new one begins with
NEW: Mapping[str, dict[str, Any]] = {
    "call": {"do": "call", "who": "contacts"},
    "number": {"do": "call", "who": "number", "name": "", "phone": ""},
    "request": {"do": "request", "service": "police", "when": "verified_and_consulted"},
    "inform": {"do": "inform", "who": "contacts"},
    "patrol": {"do": "patrol", "when": "exhausted"},
    "again": {"do": "again", "after_s": 600},
    "tell": {"do": "tell"},
}
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "call": ("who", "identify", "leave_message"),
    "number": ("name", "phone", "identify", "leave_message"),
    "request": ("service", "when", "after_s"),
    "inform": (),
    "patrol": ("when",),
    "again": ("after_s",),
    "tell": (),
}


class StepForm(OfficeForm):
    """One step. `row` is what a file would say of it."""

    who = forms.ChoiceField(label=_("Whom"), required=False)
    name = forms.CharField(label=_("Name"), max_length=120, required=False)
    phone = forms.CharField(label=_("Telephone"), max_length=40, required=False)
    service = forms.ChoiceField(label=_("Service"), choices=list(SERVICES.items()), required=False)
    when = forms.ChoiceField(label=_("When"), required=False)
    after_s = DurationField(label=_("After"), required=False)
    identify = forms.ChoiceField(
        label=_("Name and code"), choices=list(IDENTIFY.items()), required=False
    )
    leave_message = forms.BooleanField(label=_("Message at a voicemail"), required=False)

    def __init__(self, *args: Any, kind: str, contacts: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind
        for name in [name for name in self.fields if name not in _FIELDS[kind]]:
            del self.fields[name]
        choices = self._choices(contacts)
        for name, values in choices.items():
            if name in self.fields:
                self.fields[name].choices = values  # type: ignore[attr-defined]
        if kind == "request":
            self.fields["after_s"].label = _("At the latest after")
            self.fields["after_s"].help_text = _("Fire, medical: as 2m. Else empty.")

    def _choices(self, contacts: Sequence[str]) -> dict[str, list[tuple[str, Any]]]:
        people: list[tuple[str, Any]] = [(f"{_CONTACT}{name}", name) for name in contacts]
        whens = _OF_PATROL if self.kind == "patrol" else _OF_REQUEST
        return {
            "who": [*WHO.items(), *people],
            "when": [(key, WHEN[key]) for key in whens],
        }

    def row(self) -> dict[str, Any]:
        """The step as a file says it."""
        found = dict(NEW[self.kind])
        for name in _FIELDS[self.kind]:
            value = self.cleaned_data.get(name)
            if name == "after_s":
                found[name] = value or 0
            elif value or name in ("name", "phone"):
                found[name] = value or ""
        who = str(found.get("who", ""))
        if who.startswith(_CONTACT):
            found |= {"who": "contact", "name": who.removeprefix(_CONTACT)}
        return found


class PeriodForm(OfficeForm):
    """From when, until when, why, and how an exhausted list closes."""

    reason = forms.CharField(label=_("Reason"), max_length=200)
    starts_at = forms.DateTimeField(
        label=_("From"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("Empty: from its release."),
    )
    ends_at = forms.DateTimeField(
        label=_("Until"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("Empty: for good."),
    )
    exhausted = forms.ChoiceField(
        label=_("When nobody was reached"), choices=list(EXHAUSTED.items())
    )

    def period(self) -> dict[str, Any]:
        """As the commands take it."""
        starts: datetime | None = self.cleaned_data.get("starts_at")
        ends: datetime | None = self.cleaned_data.get("ends_at")
        return {"reason": self.text("reason"), "starts_at": starts, "ends_at": ends}


class ProcedureForm:
    """A whole procedure as it is typed: its steps in order, and its period.

    acts: "up:2", "down:2", "remove:2" and "add:call" change the rows of what was typed and store
    nothing.
    """

    def __init__(
        self,
        procedure: Procedure,
        site: Site | None,
        sent: Mapping[str, str] | None = None,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        self.sent = sent
        self.contacts = [c.name for c in site.contacts.order_by("position")] if site else []
        self.period = PeriodForm(
            sent, initial={"exhausted": procedure.exhausted, **(initial or {})}
        )
        self.ids: list[str] = []
        self.focus = ""
        self.steps = self._sent(sent) if sent is not None else self._stored(procedure)

    @property
    def forms(self) -> list[OfficeForm]:
        """All of them, for the summary of faults."""
        return [self.period, *self.steps]

    @property
    def numbered(self) -> list[tuple[str, StepForm]]:
        """The id and the form of each step, in order."""
        return list(zip(self.ids, self.steps, strict=True))

    def is_valid(self) -> bool:
        """Each is asked, so that each names its faults."""
        return all([form.is_valid() for form in self.forms])  # noqa: C419

    def written(self) -> dict[str, Any]:
        """The procedure as `terms.procedures.read` takes it."""
        rows = []
        for name, form in self.numbered:
            row = form.row()
            rows.append({**row, "id": name} if name else row)
        return {"steps": rows, "exhausted": self.period.cleaned_data["exhausted"]}

    def typed(self) -> dict[str, str]:
        """What stands on the page now, as it would be sent."""
        found = {name: str(self.period[name].value() or "") for name in self.period.fields}
        for place, (name, form) in enumerate(self.numbered):
            found |= {f"step{place}-kind": form.kind, f"step{place}-id": name}
            for field in form.fields:
                value = form[field].value()
                if value not in (None, "", False):
                    found[f"step{place}-{field}"] = str(form[field].field.prepare_value(value))
        return found

    def act(self, act: str) -> None:
        """Move, remove or add a step of what was typed; an unknown act does nothing."""
        what, _colon, which = act.partition(":")
        rows = list(zip(self.ids, self.steps, strict=True))
        if what == "add" and which in NEW and len(rows) < MOST_STEPS:
            rows.append(("", self._form(which, len(rows), NEW[which], bound=False)))
            self.focus = f"add:{len(rows) - 1}"
        place = int(which) if which.isdecimal() and len(which) < 4 else -1
        if 0 <= place < len(rows):
            other = {"up": place - 1, "down": place + 1}.get(what, place)
            if what == "remove":
                del rows[place]
            elif 0 <= other < len(rows):
                rows[place], rows[other] = rows[other], rows[place]
                self.focus = _next_key(what, other, len(rows))
        self._renumber(rows)

    def _renumber(self, rows: Sequence[tuple[str, StepForm]]) -> None:
        """What was typed under new places, unchecked."""
        again = []
        for place, (name, form) in enumerate(rows):
            values = dict(form.initial)
            if form.is_bound:
                names = form.fields
                values = {n: form[n].value() for n in names}
            again.append((name, self._form(form.kind, place, values, bound=False)))
        self.ids = [name for name, _form in again]
        self.steps = [form for _name, form in again]
        typed = {name: self.period[name].value() for name in self.period.fields}
        self.period = PeriodForm(initial=typed)

    def _form(self, kind: str, place: int, initial: Mapping[str, Any], *, bound: bool) -> StepForm:
        sent = self.sent if bound else None
        return StepForm(
            sent, prefix=f"step{place}", kind=kind, contacts=self.contacts, initial=dict(initial)
        )

    def _stored(self, procedure: Procedure) -> list[StepForm]:
        self.ids = [step.id for step in procedure.steps]
        return [
            self._form(_kind(step), place, _initial(step), bound=False)
            for place, step in enumerate(procedure.steps)
        ]

    def _sent(self, sent: Mapping[str, str]) -> list[StepForm]:
        """As many steps as were sent, each of the kind it says."""
        found = []
        for place in range(MOST_STEPS):
            kind = sent.get(f"step{place}-kind", "")
            if kind not in NEW:
                break
            self.ids.append(sent.get(f"step{place}-id", "")[:40])
            found.append(self._form(kind, place, {}, bound=True))
        return found


def _next_key(what: str, place: int, count: int) -> str:
    """The button that moves the same step on, or back where it can go no further."""
    if what == "up" and place == 0:
        return "down:0"
    if what == "down" and place == count - 1:
        return f"up:{place}"
    return f"{what}:{place}"


def _kind(step: Step) -> str:
    return "number" if step.who == "number" else step.do


def _initial(step: Step) -> dict[str, Any]:
    who = f"{_CONTACT}{step.name}" if step.who == "contact" else step.who
    return {
        "who": who, "name": step.name, "phone": step.phone, "service": step.service,
        "when": step.when, "after_s": step.after_s or None, "identify": step.identify,
        "leave_message": step.leave_message,
    }  # fmt: skip
