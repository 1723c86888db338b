"""Service state of a site (test, suspension, flood) and the handlings counted under its contract.

Invariant: a state that ends by itself has an agenda row for its end; a handling is counted once.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from meldkamer.sites.models import Site


class TestMode(models.Model):
    """A period in which nothing is reacted to (S20.1): whole site, or areas, zones, types."""

    __test__ = False  # pytest: this is no test

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="tests")
    areas = ArrayField(models.CharField(max_length=8), default=list)
    zones = ArrayField(models.CharField(max_length=8), default=list)
    types = ArrayField(models.CharField(max_length=24), default=list)
    reason = models.TextField(blank=True)
    asked_by = models.CharField(max_length=120)
    in_writing = models.BooleanField(default=False)
    started_at = models.DateTimeField()
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(until__gt=models.F("started_at")), name="a_test_ends_after_it_starts"
            ),
        ]
        indexes = [
            models.Index(fields=["site"], condition=Q(ended_at__isnull=True), name="tests_running")
        ]

    def __str__(self) -> str:
        return f"{self.site_id} until {self.until.isoformat()}"


class Interruption(models.Model):
    """Monitoring suspended or interrupted, with its cause (S12.2, D908.1, D908.3)."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="interruptions")
    kind = models.CharField(max_length=12)  # suspended, unpaid, broken, flood
    clause = models.CharField(max_length=12)
    types = ArrayField(models.CharField(max_length=24), default=list)
    reason = models.TextField(blank=True)
    started_at = models.DateTimeField()
    until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["site"], condition=Q(ended_at__isnull=True), name="interruptions_running"
            )
        ]

    def __str__(self) -> str:
        return f"{self.site_id} {self.kind}"


class FalseAlarmForetold(models.Model):
    """An identified caller said "false alarm" before the signal came: remembered 5 min (S12.1)."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE)
    by = models.CharField(max_length=120)
    from_premises = models.BooleanField(default=False)
    at = models.DateTimeField()
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.site_id} until {self.until.isoformat()}"


class Handling(models.Model):
    """One counted handling (M8.1): an incident counts at most once under a tariff."""

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="handlings")
    incident_id = models.BigIntegerField(null=True)
    tariff = models.CharField(max_length=24, default="handling")
    period_start = models.DateField()
    counted_at = models.DateTimeField()
    used = models.PositiveIntegerField()
    included = models.PositiveIntegerField()
    billable = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["incident_id", "tariff"], name="an_incident_is_counted_once_per_tariff"
            ),
        ]
        indexes = [models.Index(fields=["site", "period_start"])]

    def __str__(self) -> str:
        return f"{self.incident_id} {self.used}/{self.included}"
