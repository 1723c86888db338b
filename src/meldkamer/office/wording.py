"""The words of the office: types, kinds, verdicts, states and what is wrong with a field.

Never decides. Unknown keys are shown as they are, never hidden. The same word for the same thing
as at the desk: types share their sentences with the console's.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from meldkamer.office import procedure_wording
from meldkamer.sites.faults import Fault
from meldkamer.sites.kinds import TYPES as TYPES
from meldkamer.sites.numbers import Number
from meldkamer.terms.model import Plan

Words = Mapping[str, "str | Promise"]

OPTIONS: Words = {
    "patrol": _("Patrol (S6.1)"),
    "reports_daily": _("Daily report (S21.1)"),
    "reports_weekly": _("Weekly report (S21.1)"),
    "reports_monthly": _("Monthly report (S21.1)"),
    "video": _("Images"),
    "open_close": _("Open/close (S11.1)"),
}
VERDICTS: Words = {
    "opened": _("opened an incident"),
    "joined": _("joined an incident"),
    "held": _("held back"),
    "journaled": _("journaled"),
    "told": _("installer told"),
    "unknown_account": _("unknown account"),
    "refused": _("not believed"),
    "": _("not judged yet"),
}
LANGUAGES: Words = {"nl": _("Dutch"), "fr": _("French"), "de": _("German"), "en": _("English")}
DAYS: Words = {
    **{str(number): day for number, day in enumerate(procedure_wording.DAYS.values())},
    "7": _("Public holiday"),
}
CALL_RESULTS: Words = {
    "reached": _("reached"),
    "no_answer": _("no answer"),
    "voicemail": _("voicemail"),
}
#: what the journal calls a change of master data
CHANGES: Words = {
    "site.entered": _("site entered"),
    "sheet.changed": _("sheet changed"),
    "customer.entered": _("customer entered"),
    "customer.changed": _("customer changed"),
    "transmitter.added": _("transmitter added"),
    "transmitter.changed": _("transmitter changed"),
    "transmitter.retired": _("transmitter retired"),
    "zone.added": _("zone added"),
    "zone.changed": _("zone changed"),
    "zone.removed": _("zone removed"),
    "contact.added": _("contact added"),
    "contact.changed": _("contact changed"),
    "contact.moved": _("contact moved on the list"),
    "contact.removed": _("contact removed"),
    "number.not_texted": _("number refused for texts"),
    "number.surcharged": _("number at a surcharge"),
    "number.included": _("number without surcharge again"),
    "card.issued": _("code issued"),
    "app.link_issued": _("link to the app sent"),
    "app.link_used": _("app on a phone"),
    "app.link_taken_back": _("app taken back"),
    "hours.changed": _("opening hours changed"),
    "line_test.instructed": _("written instruction about the line test"),
    "undefined.instructed": _("written instruction about an unknown code"),
    "site.activated": _("site activated"),
    "service.in_force": _("in force"),
    "trial.ended": _("trial ended"),
    "test.started": _("test started"),
    "test.ended": _("test ended"),
    "service.suspended": _("monitoring suspended or interrupted"),
    "service.resumed": _("monitoring resumed"),
    "needless.warned": _("warned of false alarms"),
    "flood.started": _("transmitter held back"),
    "flood.ended": _("transmitter released"),
    "document.kept": _("document kept"),
    "task.closed": _("task closed"),
    "emergency_note.changed": _("changed for the emergency services"),
    "procedure.drafted": _("procedure drafted"),
    "procedure.changed": _("draft of a procedure changed"),
    "procedure.released": _("procedure released"),
    "procedure.withdrawn": _("procedure withdrawn"),
    "procedure.discarded": _("draft of a procedure discarded"),
}
_FAULTS: Words = {
    "missing": _("Fill this in."),
    "nul": _("A NUL character is not text. Type it again."),
    "choice": _("%(found)s is not one of: %(expected)s."),
    "phone": _("%(found)s is no telephone number. Expected e.g. +32 475 12 34 56."),
    "timezone": _("%(found)s is not known. Expected e.g. Europe/Brussels."),
    "degrees": _("Expected a number from -%(most)s to %(most)s."),
    "position": _("Latitude and longitude go together."),
    "wait_alone": _("A waiting time needs a test period."),
    "account": _("Expected 3 to 16 digits or letters A to F, as set in the panel."),
    "account_taken": _("Account %(found)s is in use by another site. Check the panel's number."),
    "prefix": _("Expected up to 6 digits or letters A to F, or nothing for any."),
    "key": _("Expected hex: or text: followed by 16, 24 or 32 bytes, e.g. hex: and 32 digits."),
    "zone_number": _("At most 8 characters."),
    "twice": _("%(found)s is there already."),
    "reachable": _("%(found)s: expected hours as mon-fri 08:00-18:00, sat."),
    "unreachable": _("Give a telephone number or an e-mail address."),
    "day": _("Expected a weekday or a date."),
    "hours": _("Opening and closing go together, and differ."),
    "margin": _("A margin is six hours at most."),
    "repeat": _("Telling it again takes five minutes at least."),
    "cloud_missing": _("Name the maker’s cloud: only a cloud notifies by itself."),
    "longer": _("The terms say %(most)s minutes; a sheet may say less, not more."),
    "foreign": _("Belongs to another provider."),
    "plan_unknown": _("Choose one of: %(expected)s."),
    "formula_not_taken": _("%(plan)s takes no formula. Leave it empty."),
    "formula_unknown": _("%(plan)s needs a formula: %(expected)s."),
    "type_unknown": _("%(found)s is no alarm type."),
    "types_too_many": _("%(found)s types chosen; %(plan)s has up to %(most)s. Take some out."),
    "vital_unsigned": _(
        "Hold-up, fire and medical are left out only when the customer signed for it. Tick that "
        "he did, or select them."
    ),
    "open_close_not_taken": _("%(plan)s has no open/close. Choose another plan, or leave it out."),
    "contacts_none": _("Nobody is on the call list. Add a contact first."),
    "contacts_few": _("%(found)s of the %(expected)s contacts of %(plan)s."),
    "contacts_many": _("%(plan)s has up to %(expected)s contacts. Remove one first."),
    "contacts_charged": _("%(plan)s includes %(expected)s contacts; more are charged."),
    "active_already": _("This site is activated already."),
    "no_transmitter": _("No transmitter dials in for this site. Add one first."),
    "option_unknown": _("%(found)s is no option."),
    "past": _("Expected a time that is still to come."),
    "document_missing": _("Attach the document."),
    "site_code_kind": _("Choose a kind of code."),
    "site_code_length": _("Expected 1 to %(most)s characters."),
    "document_large": _("The document is larger than %(most)s MB."),
    "document_kind": _("Not a document that can be kept. Expected one of: %(expected)s."),
    "evidence_missing": _("Nothing resumes without evidence: attach the document."),
    "not_told": _("The customer was not told by telephone and in writing."),
    "nothing_to_suspend": _("None of these types may be suspended."),
    "interrupted_already": _("Interrupted for this cause already."),
    "resumed_already": _("Resumed already."),
    "never_automatic": _("A consumer is never interrupted by itself."),
    "service_number": _("%(found)s is no number. Expected e.g. 101 or +32 9 266 61 11."),
    "postal_code": _("%(found)s is no postal code. Expected e.g. 9000 or 9030-9052."),
    "long": _("At most %(most)s characters."),
    "notice_missing": _("Say how the notice was sent."),
    "notice_runs": _("The notice must have been sent %(days)s days ago or more."),
}


def fault_text(fault: Fault) -> str:
    """What is wrong with a field and how to mend it, in the reader's language, with its clause."""
    known = _FAULTS.get(fault.code)
    numbers = {name: _readable(value) for name, value in fault.numbers.items()}
    if known is None:
        known = procedure_wording.FAULTS.get(fault.code)
        numbers = procedure_wording.numbers(fault.numbers)
    text = str(known) % numbers if known is not None else fault.reason
    return f"{text} ({fault.clause})" if fault.clause else text


def _readable(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(TYPES.get(word, word)) for word in value)
    return str(value)


def word(words: Words, key: str) -> str:
    """The word, or the key itself when there is none."""
    return str(words.get(key, key))


def surcharge_remark(number: Number, plan: Plan) -> str:
    """Said beside a number that costs more (D904.5); "" beside one that does not."""
    if not number.surcharge:
        return ""
    if number.surcharge == "abroad":
        said = gettext("%(phone)s is no number of %(countries)s: at a surcharge.")
        return said % {"phone": number.phone, "countries": ", ".join(plan.number_countries)}
    said = gettext("%(plan)s includes %(most)s contacts; this is number %(place)s: at a surcharge.")
    return said % {"plan": plan.label, "most": plan.contacts, "place": number.position}


def texting_remark(phone: str, countries: tuple[str, ...]) -> str:
    """Said beside a number that may not be texted (S7.6): kept, and phoned instead."""
    return gettext(
        "%(phone)s is no mobile of %(countries)s: kept, not texted; an operator calls."
    ) % {
        "phone": phone,
        "countries": ", ".join(countries),
    }
