"""A site as the office sees it: its state, its changes, its signals and its wire log."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from meldkamer.contracts.commands import trial_until
from meldkamer.contracts.models import Interruption, TestMode
from meldkamer.incidents.deciding.facts import terms_of
from meldkamer.incidents.models import Verdict
from meldkamer.journal.models import Entry, Frame, Signal
from meldkamer.office import activation
from meldkamer.office.wording import (
    CHANGES,
    TYPES,
    VERDICTS,
    fault_text,
    surcharge_remark,
    texting_remark,
    word,
)
from meldkamer.people.models import Staff
from meldkamer.sites import numbers
from meldkamer.sites.faults import from_finding
from meldkamer.sites.models import Site
from meldkamer.sites.numbers import Number
from meldkamer.watch.models import LineTestWatch
from meldkamer.wire import mask_keys

SIGNALS_SHOWN = 40
_SINCE = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class State:
    """One tag under the name: its words, and good, trial, test, critical or nothing."""

    words: str
    kind: str = ""


def states(site: Site, now: datetime) -> list[State]:
    """What stands of the service, most important first."""
    terms = terms_of(site)
    plan = terms.plans[site.plan].label if site.plan in terms.plans else site.plan
    formula = terms.formulas[site.formula].label if site.formula in terms.formulas else ""
    found = [State(f"{site.provider.name}, {plan} {formula}".strip())]
    until = trial_until(site, terms)
    if site.activated_at is None:
        found.append(State(_("not activated"), "trial"))
    elif site.in_force_from is None or site.in_force_from > now:
        found.append(State(_("not in force yet"), "trial"))
    else:
        found.append(State(_("watched"), "good"))
        if until is not None and until > now:
            found.append(State(_("trial until %(at)s") % {"at": day_and_time(until)}, "trial"))
        since = date_format(localtime(site.in_force_from), "j M Y")
        found.append(State(_("in force since %(day)s") % {"day": since}))
    silent = LineTestWatch.objects.filter(
        site=site, unsupervised_since__isnull=False, transmitter__active=True
    )
    if silent.exists():
        found.insert(0, State(_("line not supervised"), "critical"))
    for row in Interruption.objects.filter(site=site, ended_at=None).order_by("started_at"):
        found.append(State(str(row.get_kind_display()), "trial"))
    test = TestMode.objects.filter(site=site, ended_at=None, until__gt=now).first()
    if test is not None:
        found.append(State(_("in test until %(at)s") % {"at": day_and_time(test.until)}, "test"))
    return found


def day_and_time(moment: datetime) -> str:
    """A moment in the reader's form."""
    return date_format(localtime(moment), "j M H:i")


@dataclass(frozen=True, slots=True)
class Check:
    """One line under "checks": good, poor or bad."""

    health: str
    words: str


def checks(site: Site) -> list[Check]:
    """What the terms say about the sheet as it stands."""
    found = [
        Check("bad" if finding.refused else "poor", fault_text(from_finding(finding)))
        for finding in activation.findings(site)
    ]
    if not site.transmitters.filter(active=True).exists():
        found.append(Check("bad", _("No transmitter dials in for this site. Add one first.")))
    for number, remarks in number_remarks(site):
        who = number.who or _("Premises")
        found += [Check("poor", f"{who}: {one.words} ({one.clause})") for one in remarks]
    if not any(check.health == "bad" for check in found):
        found.insert(0, Check("good", _("The procedures can be worked by this sheet.")))
    return found


@dataclass(frozen=True, slots=True)
class Remark:
    """What the terms say of a number, and the clause."""

    words: str
    clause: str


def number_remarks(site: Site) -> list[tuple[Number, list[Remark]]]:
    """Each number of the sheet: why it is not texted (S7.6), why it costs more (D904.5)."""
    terms = terms_of(site)
    plan = terms.plans.get(site.plan)
    found = []
    for number in numbers.numbers_of(site):
        remarks = []
        # the number on site is there to be phoned
        if number.position and not number.texted:
            words = texting_remark(number.phone, terms.texting.mobile_countries)
            remarks.append(Remark(words, "S7.6"))
        if plan is not None and number.surcharge:
            remarks.append(Remark(surcharge_remark(number, plan), "D904.5"))
        found.append((number, remarks))
    return found


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the site's life: when, what, who, and the columns old → new."""

    at: datetime
    what: str
    to: str
    who: str
    clause: str
    columns: list[tuple[str, str, str]] = field(default_factory=list)


def changes(site: Site, limit: int = 30) -> list[Change]:
    """Changes of master data and service, the latest first (S22.1)."""
    rows = list(
        Entry.objects.filter(site_id=site.pk, what__in=list(CHANGES)).order_by("-at", "-id")[:limit]
    )
    ids = {row.actor.removeprefix("staff:") for row in rows if row.actor.startswith("staff:")}
    names = {
        f"staff:{staff.pk}": staff.get_full_name() or staff.username
        for staff in Staff.objects.filter(pk__in=[i for i in ids if i.isdecimal()])
    }
    # a contact lets his own phone into the app
    names |= {f"contact:{person.pk}": person.name for person in site.contacts.all()}
    return [
        Change(
            row.at,
            word(CHANGES, row.what),
            row.recipient if row.recipient != site.name else "",
            names.get(row.actor, row.actor),
            row.clause,
            _columns(row.data.get("change") or {}),
        )
        for row in rows
    ]


def _columns(change: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(column, old, new) of an entry; for a new thing the old is empty."""
    found = []
    for name, value in change.items():
        old, new = value if isinstance(value, list) and len(value) == 2 else ("", value)
        if new not in ("", None, [], False) or old not in ("", None, [], False):
            found.append((name, _short(old), _short(new)))
    return found


def _short(value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(_short(v) if not isinstance(v, dict) else "…" for v in value)[:80]
    return str(value)[:80]


@dataclass(frozen=True, slots=True)
class SignalRow:
    """One signal with its verdict."""

    id: int
    at: datetime
    code: str
    type: str
    klass: str
    label: str
    zone: str
    area: str
    user: str
    verdict: str
    clause: str
    reason: str
    incident: int | None


def signals(site: Site, now: datetime, limit: int = SIGNALS_SHOWN) -> list[SignalRow]:
    """The latest signals of a site with their verdicts, newest first."""
    rows = list(
        Signal.objects.filter(site_id=site.pk, received_at__gt=now - _SINCE).order_by(
            "-received_at", "-id"
        )[:limit]
    )
    verdicts = {v.signal_id: v for v in Verdict.objects.filter(signal_id__in=[r.pk for r in rows])}
    zones = {zone.number: zone.name for zone in site.zones.all()}
    return [_signal(row, verdicts.get(row.pk), zones) for row in rows]


def _signal(row: Signal, verdict: Verdict | None, zones: dict[str, str]) -> SignalRow:
    zone = ""
    if row.zone:
        zone = (
            f"{row.zone} {zones[row.zone]}"
            if row.zone in zones
            else f"{row.zone} " + _("zone unknown")
        )
    return SignalRow(
        id=row.pk,
        at=row.received_at,
        code=row.code,
        type=word(TYPES, row.type),
        klass=row.type,
        label=str((row.detail or {}).get("label") or ""),
        zone=zone,
        area=row.area or "",
        user=row.user or "",
        verdict=word(VERDICTS, verdict.verdict if verdict else ""),
        clause=verdict.clause if verdict else "",
        reason=verdict.reason if verdict else "",
        incident=verdict.incident_id if verdict else None,
    )


@dataclass(frozen=True, slots=True)
class WireRow:
    """One frame as it came in; key blocks are starred out."""

    at: datetime
    way: str
    token: str
    seq: str
    disposition: str
    reply: str
    skew_s: int | None
    raw: str


def wire_log(site: Site, now: datetime, limit: int = SIGNALS_SHOWN) -> list[WireRow]:
    """The latest frames of a site's transmitters, newest first."""
    rows = Frame.objects.filter(site_id=site.pk, received_at__gt=now - _SINCE).order_by(
        "-received_at", "-id"
    )[:limit]
    return [
        WireRow(
            at=row.received_at,
            way=row.transport,
            token=("*" if row.encrypted else "") + row.token,
            seq=row.seq,
            disposition=row.disposition,
            reply=row.reply,
            skew_s=row.clock_skew_s,
            raw=_readable(mask_keys(bytes(row.raw))),
        )
        for row in rows
    ]


def _readable(raw: bytes) -> str:
    """The frame as text; what is no printable character as \\xNN."""
    text = raw.decode("latin-1").strip("\r\n")
    return "".join(c if 32 <= ord(c) < 127 else f"\\x{ord(c):02x}" for c in text)
