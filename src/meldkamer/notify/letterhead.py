"""Who writes: what stands under every mail and on every letter of a provider (S24.5).

Read when a message is made ready, never in the transaction that decided it. What is not on record
is left out and never invented.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override

from meldkamer.sites.models import Provider
from meldkamer.terms.loader import load

#: licences in the words of the terms files that are shipped; another stands as it was entered
_LICENCES = (gettext_noop("guarding company, managing alarm centres"),)


@dataclass(frozen=True, slots=True)
class Letterhead:
    """A provider on paper. Empty texts: not on record."""

    name: str
    company: str = ""
    seat: str = ""
    company_number: str = ""
    licence: str = ""
    licence_until: date | None = None
    emergency_phone: str = ""
    email: str = ""
    timezone: str = "Europe/Brussels"

    def company_lines(self, language: str) -> list[str]:
        """The operating company, its seat, number and licence, as S24.5 asks (S24.5, D901)."""
        with override(language):
            lines = [", ".join(part for part in (self.company or self.name, self.seat) if part)]
            registered = []
            if self.company_number:
                registered.append(
                    _("Company number (KBO/BCE) {number}").format(number=self.company_number)
                )
            if self.licence:
                registered.append(self._licence())
            return lines + ([" · ".join(registered)] if registered else [])

    def contact_line(self, language: str) -> str:
        """How one reaches it: the number at any hour, the address for mail (S24.2)."""
        with override(language):
            parts = []
            if self.emergency_phone:
                parts.append(_("day and night {phone}").format(phone=self.emergency_phone))
            if self.email:
                parts.append(self.email)
            return " · ".join(parts)

    def _licence(self) -> str:
        licence = _(self.licence) if self.licence in _LICENCES else self.licence
        if self.licence_until is None:
            return _("Licence: {licence}").format(licence=licence)
        return _("Licence: {licence}, valid until {day}").format(
            licence=licence, day=date_format(self.licence_until, "DATE_FORMAT")
        )


def letterhead_of(provider_id: int) -> Letterhead:
    """The provider as it is on record now."""
    row = Provider.objects.get(pk=provider_id)
    return Letterhead(
        name=row.name,
        company=row.operating_company,
        seat=row.seat,
        company_number=row.company_number,
        licence=row.licence,
        licence_until=row.licence_until,
        emergency_phone=row.emergency_phone,
        email=row.office_email,
        timezone=load(row.terms).timezone,
    )
