"""What a call to police, fire brigade or medical service needs: numbers by zone, and what they ask.

Invariant: the number that is dialled is a row that the office entered and that was checked, or the
provider's national one; it is never text that stands on a site (B1).
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _


class ServiceNumber(models.Model):
    """The number of a service in a zone, from a day on.

    A site's zone is found by the zone's name on the site, else by its postal code. language: that
    of who answers there; the call sheet is in it.
    """

    class Service(models.TextChoices):
        POLICE = "police", _("police")
        FIRE = "fire", _("fire brigade")
        MEDICAL = "medical", _("medical service")

    provider = models.ForeignKey("sites.Provider", on_delete=models.PROTECT)
    service = models.CharField(max_length=8, choices=Service.choices)
    zone = models.CharField(max_length=80)
    postal_codes = ArrayField(models.CharField(max_length=10), default=list, blank=True)
    number = models.CharField(max_length=24)
    language = models.CharField(max_length=2)
    valid_from = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "service", "zone", "valid_from"],
                name="one_number_per_zone_and_day",
            ),
        ]
        ordering = ["service", "zone", "-valid_from"]

    def __str__(self) -> str:
        return f"{self.service} {self.zone}"


class EmergencyNote(models.Model):
    """What the services ask of a site beyond its address: told on the call sheet (B1)."""

    site = models.OneToOneField(
        "sites.Site", on_delete=models.CASCADE, related_name="emergency_note"
    )
    building = models.CharField(max_length=120, blank=True)
    risk = models.CharField(max_length=160, blank=True)
    dangers = models.CharField(max_length=300, blank=True)
    people = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"note of {self.site_id}"
