"""What should come and did not: line tests and mains; codes and misses that somebody is told of.

Invariant: for each supervised transmitter one row says what is expected next; its deadline is on
the agenda. Opening hours need no table here: what is expected next follows from the sheet.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from meldkamer.sites.models import Provider, Site, Transmitter


class LineTestWatch(models.Model):
    """The next expected test message of a transmitter, how many were missed in a row (S10.3)."""

    transmitter = models.OneToOneField(
        Transmitter, on_delete=models.CASCADE, primary_key=True, related_name="line_test_watch"
    )
    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="line_test_watches")
    expected_at = models.DateTimeField()
    missed = models.PositiveIntegerField(default=0)
    last_test_at = models.DateTimeField(null=True)
    # the third was missed: no longer supervised, until a test comes or somebody writes
    unsupervised_since = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["unsupervised_since"],
                condition=Q(unsupervised_since__isnull=False),
                name="not_supervised",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.transmitter_id} {self.expected_at.isoformat()}"


class AreaArming(models.Model):
    """Whether an area that has hours of its own is armed (S11.1, D907.2); the site's is its own."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="area_armings")
    area = models.CharField(max_length=8)
    armed = models.BooleanField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["site", "area"], name="one_state_per_area")]

    def __str__(self) -> str:
        return f"{self.site_id} {self.area}"


class UndefinedCode(models.Model):
    """An unknown code of a site that its installer was told of, once (S10.5)."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE)
    code = models.CharField(max_length=16)
    told_at = models.DateTimeField()
    # a written instruction lifts the holding back
    handle = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["site", "code"], name="told_once_per_code_and_site")
        ]

    def __str__(self) -> str:
        return f"{self.site_id} {self.code}"


class Mains(models.Model):
    """When a site's mains last failed and came back, and where it lay then (S10.2).

    A row for each site that ever failed: what an outage is counted from, without a look at signals.
    """

    site = models.OneToOneField(
        Site, on_delete=models.CASCADE, primary_key=True, related_name="mains"
    )
    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, db_index=False)
    postal_code = models.CharField(max_length=10, blank=True)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    failed_at = models.DateTimeField()
    restored_at = models.DateTimeField(null=True)
    # false after an outage was undone: the same failure declares none again
    counts = models.BooleanField(default=True)

    class Meta:
        indexes = [
            models.Index(fields=["provider", "postal_code", "failed_at"], name="mains_by_code"),
            models.Index(fields=["provider", "latitude", "longitude"], name="mains_by_position"),
        ]

    def __str__(self) -> str:
        return f"{self.site_id} {self.failed_at.isoformat()}"


class ReportLine(models.Model):
    """Something for an installer's daily report (S10.3, S10.5), counted until it is reported."""

    class Kind(models.TextChoices):
        LINE_TEST = "line_test", _("test message missed")
        UNDEFINED = "undefined", _("undefined code")

    site = models.ForeignKey(Site, on_delete=models.CASCADE)
    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, db_index=False)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    # the account of the transmitter, or the code
    code = models.CharField(max_length=24)
    count = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    reported_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["site", "kind", "code"],
                condition=Q(reported_at__isnull=True),
                name="one_line_until_it_is_reported",
            ),
        ]
        indexes = [
            models.Index(
                fields=["provider"], condition=Q(reported_at__isnull=True), name="lines_to_report"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.site_id} {self.kind} {self.code}"
