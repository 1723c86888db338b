"""Staff: who may do what, for which providers, and who is at a desk now.

Invariant: an operator sees a provider's sites only when assigned to it.
"""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _


class Staff(AbstractUser):
    """A member of staff, with a role and the providers he works for."""

    class Role(models.TextChoices):
        OPERATOR = "operator", _("operator")
        SUPERVISOR = "supervisor", _("supervisor")
        OFFICE = "office", _("office")

    class Dials(models.TextChoices):
        HAND = "hand", _("by hand")
        TEL = "tel", _("telephone link")
        SIP = "sip", _("SIP link")
        PBX = "pbx", _("through the exchange")

    role = models.CharField(max_length=12, choices=Role.choices, default=Role.OPERATOR)
    language = models.CharField(max_length=2, default="nl")
    providers = models.ManyToManyField("sites.Provider", blank=True)
    # how the number of a call step is dialled at his desk, and the telephone that stands there
    dials = models.CharField(max_length=4, choices=Dials.choices, default=Dials.HAND)
    extension = models.CharField(max_length=24, blank=True)
    # of a supervisor: where he is called about what nobody takes, as the terms say (M12.2)
    phone = models.CharField(max_length=24, blank=True)

    @property
    def is_supervisor(self) -> bool:
        """True for those who may override and release (B1, S4.3)."""
        return self.role == self.Role.SUPERVISOR

    @property
    def works_the_queue(self) -> bool:
        """True for those who take incidents."""
        return self.role in (self.Role.OPERATOR, self.Role.SUPERVISOR)


class Presence(models.Model):
    """One row per member of staff at a console: last sign of life, for the queue and wallboard."""

    staff = models.OneToOneField(Staff, on_delete=models.CASCADE, related_name="presence")
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.staff_id} {self.seen_at:%H:%M:%S}"


class CallerTries(models.Model):
    """Failed identifications of one telephone number: after so many it is locked (S19.1)."""

    number = models.CharField(max_length=24, unique=True)
    failed = models.PositiveSmallIntegerField()
    first_at = models.DateTimeField()
    locked_until = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.number
