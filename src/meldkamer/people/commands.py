"""The only writer of staff and their presence at a desk."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from meldkamer.journal import commands as journal
from meldkamer.people.models import Presence, Staff
from meldkamer.sites.models import Provider
from meldkamer.sites.phones import PhoneFault, normal

_EXTENSION = re.compile(r"[A-Za-z0-9_.+-]{0,24}\Z")


def sign_of_life(staff: Staff, now: datetime) -> None:
    """A console of this person answered: counted on duty for a while (queries.on_duty)."""
    Presence.objects.update_or_create(staff=staff, defaults={"seen_at": now})


def leave_desk(staff: Staff) -> None:
    """Logged out: no longer at a desk."""
    Presence.objects.filter(staff=staff).delete()


def choose_language(staff: Staff, language: str) -> None:
    """The language of this person's screens; the caller has checked that it is offered."""
    if staff.language != language:
        staff.language = language
        staff.save(update_fields=["language"])


def choose_dialling(staff: Staff, dials: str, extension: str) -> None:
    """How this person dials, and the telephone at his desk.

    ValidationError names the field and what was expected.
    """
    staff.dials, staff.extension = dials, extension.strip()
    if dials not in Staff.Dials.values:
        raise ValidationError({"dials": f"expected one of {', '.join(Staff.Dials.values)}"})
    if not _EXTENSION.match(staff.extension):
        raise ValidationError({"extension": "expected e.g. 201 or desk-3, or nothing"})
    if dials == Staff.Dials.PBX and not staff.extension:
        raise ValidationError({"extension": "expected the number of the telephone at the desk"})
    with transaction.atomic():
        if staff.extension:
            # who sits there now has it: a call of the one before would ring at this desk
            others = Staff.objects.filter(extension=staff.extension).exclude(pk=staff.pk)
            others.update(extension="")
        staff.save(update_fields=["dials", "extension"])


@transaction.atomic
def choose_phone(staff: Staff, phone: str, now: datetime, actor: str) -> None:
    """Where this person is called about what nobody takes, as the terms say (M12.2); "" for not.

    ValidationError names the field and what was expected.
    """
    try:
        staff.phone = normal(phone)
    except PhoneFault as fault:
        raise ValidationError({"phone": str(fault)}) from None
    staff.save(update_fields=["phone"])
    for provider_id in staff.providers.values_list("pk", flat=True):
        journal.write(
            "staff.phone_changed",
            now,
            provider_id=provider_id,
            to=staff.get_username(),
            clause="M12.3",
            actor=actor,
        )


def enter_staff(
    username: str,
    password: str,
    role: str,
    language: str,
    providers: Sequence[Provider],
    now: datetime,
) -> Staff:
    """A new member of staff, who sees these providers' sites and no others.

    Raises ValidationError naming the field for a name that is taken, a password that is too weak,
    an unknown role or language.
    """
    staff = Staff(username=username, role=role, language=language, is_active=True)
    validate_password(password, staff)
    staff.set_password(password)
    staff.full_clean()
    with transaction.atomic():
        staff.save()
        staff.providers.set(providers)
        for provider in providers:
            journal.write(
                "staff.entered",
                now,
                provider_id=provider.pk,
                to=username,
                clause="M12.3",
                data={"role": role},
            )
    return staff
