"""The numbers on a sheet: which are not texted (S7.6), and which cost more (D904.5).

A number that the terms do not let us text is refused *for texts* when it is entered: the contact
stays on the list, is skipped in the rounds and phoned in the call round. What a number costs is
billing's; here stands only that it does, and why.

Invariant: whoever writes a contact or the premises' number does it inside `noted`, so that the
journal says with the change, under its clause, what became of the number.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from meldkamer.journal import commands as journal
from meldkamer.sites.faults import Fault
from meldkamer.sites.models import Site
from meldkamer.sites.phones import is_of, may_be_texted
from meldkamer.terms.loader import load
from meldkamer.terms.model import Plan, Terms

Why = Literal["", "extra", "abroad"]
NOT_TEXTED, SURCHARGED, INCLUDED = "number.not_texted", "number.surcharged", "number.included"
#: the on-site number has nobody's name
PREMISES = ""
_watching: ContextVar[frozenset[int]] = ContextVar("sites being noted", default=frozenset())


@dataclass(frozen=True, slots=True)
class Number:
    """One number of a sheet. position: on the call list, 0 at the premises.

    surcharge: "extra" is beyond those that the plan includes, "abroad" of another country.
    """

    who: str
    phone: str
    position: int
    texted: bool
    surcharge: Why


def numbers_of(site: Site) -> tuple[Number, ...]:
    """The premises' number and the contacts', in calling order; those that are empty left out."""
    terms = load(site.provider.terms)
    plan = terms.plans.get(site.plan)
    rows = site.contacts.order_by("position").values_list("name", "phone")
    found = [(PREMISES, site.premises_phone, 0)]
    found += [(name, phone, place) for place, (name, phone) in enumerate(rows, start=1)]
    return tuple(
        Number(who, phone, position, may_be_texted(phone, _countries(terms)),
               _surcharge(plan, phone, position))
        for who, phone, position in found
        if phone
    )  # fmt: skip


def _countries(terms: Terms) -> tuple[str, ...]:
    return terms.texting.mobile_countries


def _surcharge(plan: Plan | None, phone: str, position: int) -> Why:
    """D904.5: one number on site and so many others of these countries are included."""
    if plan is None or not plan.number_countries:
        return ""
    if not is_of(phone, plan.number_countries):
        return "abroad"
    return "extra" if position > plan.contacts else ""


def reason_not_texted(phone: str, terms: Terms) -> str:
    """Why a number is refused for texts (S7.6)."""
    return f"{phone} is no mobile of {', '.join(_countries(terms))}: not texted, phoned instead"


def reason_of_surcharge(number: Number, plan: Plan) -> str:
    """Why a number costs more (D904.5)."""
    if number.surcharge == "abroad":
        return f"{number.phone} is no number of {', '.join(plan.number_countries)}: at a surcharge"
    most, place = plan.contacts, number.position
    return f"plan {plan.label} includes {most} contacts; this is number {place}: at a surcharge"


def remarks(site: Site) -> list[Fault]:
    """The same as faults that are none: the sheet is taken, and this is what became of it."""
    terms = load(site.provider.terms)
    plan = terms.plans.get(site.plan)
    found = []
    for one in numbers_of(site):
        where = f"contact.{one.position}.phone" if one.position else "premises_phone"
        if one.position and not one.texted:
            found.append(Fault(where, "not_texted", reason_not_texted(one.phone, terms), "S7.6"))
        if plan is not None and one.surcharge:
            found.append(Fault(where, "surcharged", reason_of_surcharge(one, plan), "D904.5"))
    return found


@contextmanager
def noted(site: Site, now: datetime, actor: str) -> Iterator[None]:
    """The block writes contacts or the premises' number; what that means is journaled after it.

    Inside a transaction. One within another of the same site leaves it to the outer one.
    """
    outer = _watching.get()
    if site.pk in outer:
        yield
        return
    before = numbers_of(site)
    token = _watching.set(outer | {site.pk})
    try:
        yield
    finally:
        _watching.reset(token)
    _write(site, before, numbers_of(site), now, actor)


def note_new(site: Site, now: datetime, actor: str) -> None:
    """The same of a site that was just entered."""
    _write(site, (), numbers_of(site), now, actor)


def _write(
    site: Site, before: tuple[Number, ...], after: tuple[Number, ...], now: datetime, actor: str
) -> None:
    if before == after:
        return
    terms = load(site.provider.terms)
    plan = terms.plans.get(site.plan)
    refused = {(one.who, one.phone) for one in before if not one.texted}
    charged = {(one.who, one.phone, one.surcharge) for one in before if one.surcharge}
    had_one = {who for who, _, _ in charged}
    for one in after:
        # the number on site is there to be phoned: nobody enters it to be texted
        if one.position and not one.texted and (one.who, one.phone) not in refused:
            reason = reason_not_texted(one.phone, terms)
            _entry(NOT_TEXTED, "S7.6", site, one, reason, now, actor)
        if plan is not None and one.surcharge:
            if (one.who, one.phone, one.surcharge) not in charged:
                reason = reason_of_surcharge(one, plan)
                _entry(SURCHARGED, "D904.5", site, one, reason, now, actor)
        elif one.who in had_one:
            _entry(INCLUDED, "D904.5", site, one, "", now, actor)


def _entry(
    what: str, clause: str, site: Site, one: Number, reason: str, now: datetime, actor: str
) -> None:
    journal.write(
        what, now, provider_id=site.provider_id, site_id=site.pk, clause=clause,
        to=one.who or site.name, reason=reason, actor=actor,
        data={"phone": one.phone, "position": one.position, "surcharge": one.surcharge},
    )  # fmt: skip
