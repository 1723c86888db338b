"""Service state of a site (test, interruption, flood), what led to it, and counted handlings.

Invariants, kept by the database: a state that ends by itself has an agenda row for its end; a
handling and a needless incident are counted once; a transmitter is held back once at a time; a
task that is open has an owner and a due time (M12.2).
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from meldkamer.people.models import Staff
from meldkamer.sites.models import Site, Transmitter


class Document(models.Model):
    """A paper that was handed in: kept byte for byte, with its digest, served as a download only.

    It is evidence (S12.2, S20.1, S10.5): never changed, never shown inside a page.
    """

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="documents")
    name = models.CharField(max_length=120)
    content_type = models.CharField(max_length=40)  # found in the content, not told by its sender
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    kept_at = models.DateTimeField()
    kept_by = models.CharField(max_length=80)

    def __str__(self) -> str:
        return self.name


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
    document = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=120, blank=True)
    # what came in it, written when it ends: see `incidents.service.testing.summary`
    summary = models.JSONField(default=dict)

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
    """Monitoring interrupted, with its cause (S12.2, D908.1, D908.3); empty types mean all."""

    class Kind(models.TextChoices):
        SUSPENDED = "suspended", _("suspended after needless alarms")
        BROKEN = "broken", _("transmission is broken")
        OUT_OF_SERVICE = "out_of_service", _("out of service")
        UNPAID = "unpaid", _("unpaid")
        FLOOD = "flood", _("flood")

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="interruptions")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    clause = models.CharField(max_length=12)
    types = ArrayField(models.CharField(max_length=24), default=list)
    # of a flood alone: what is held back is this transmitter, not its site
    transmitter = models.ForeignKey(
        Transmitter, null=True, on_delete=models.PROTECT, related_name="interruptions"
    )
    reason = models.TextField(blank=True)
    started_by = models.CharField(max_length=80, blank=True)
    started_at = models.DateTimeField()
    # how the customer was told before it started: {"phone": {…}, "writing": {…}}
    notice = models.JSONField(default=dict)
    notice_document = models.ForeignKey(
        Document, null=True, on_delete=models.PROTECT, related_name="+"
    )
    # looked at again then; nothing resumes by itself (S12.2)
    review_at = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=80, blank=True)
    end_reason = models.TextField(blank=True)
    end_document = models.ForeignKey(
        Document, null=True, on_delete=models.PROTECT, related_name="+"
    )
    # of a flood: the incident it is noted in, and what was counted
    incident_id = models.BigIntegerField(null=True)
    evidence = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["site", "kind"],
                condition=Q(ended_at__isnull=True, transmitter__isnull=True),
                name="interrupted_once_per_cause",
            ),
            models.UniqueConstraint(
                fields=["transmitter"],
                condition=Q(ended_at__isnull=True, transmitter__isnull=False),
                name="a_transmitter_is_held_back_once",
            ),
            models.CheckConstraint(
                condition=Q(kind="flood", transmitter__isnull=False)
                | (~Q(kind="flood") & Q(transmitter__isnull=True)),
                name="a_flood_is_of_a_transmitter",
            ),
        ]
        indexes = [
            models.Index(
                fields=["site"], condition=Q(ended_at__isnull=True), name="interruptions_running"
            )
        ]

    def __str__(self) -> str:
        return f"{self.site_id} {self.kind}"


class NeedlessIncident(models.Model):
    """An incident that was closed as a false alarm, counted once (S12.2)."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="needless")
    # null: counted before this system had the site
    incident_id = models.BigIntegerField(null=True, unique=True)
    type = models.CharField(max_length=24, blank=True)
    at = models.DateTimeField()
    # the count at which the customer was warned
    warned = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["site", "-at"])]

    def __str__(self) -> str:
        return f"{self.site_id} {self.at.isoformat()}"


class Task(models.Model):
    """Something an operator has to do that is no incident: to call the customer (S12.2)."""

    class Outcome(models.TextChoices):
        DONE = "done", _("done")
        WITHDRAWN = "withdrawn", _("withdrawn")

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="tasks")
    kind = models.CharField(max_length=24)  # suspension_call
    clause = models.CharField(max_length=12)
    opened_at = models.DateTimeField()
    # not before: a customer who was not reached is called again later
    ready_at = models.DateTimeField()
    # "operators", "office" or "supervisor"; null when closed
    owner = models.CharField(max_length=40, null=True)  # noqa: DJ001 - null is the invariant
    due = models.DateTimeField(null=True)
    round = models.PositiveSmallIntegerField(default=1)
    # the call that runs: whom, by whom, since when
    calling = models.JSONField(default=dict)
    calls = models.JSONField(default=list)
    detail = models.JSONField(default=dict)
    closed_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=12, null=True, choices=Outcome.choices)  # noqa: DJ001
    closed_by = models.ForeignKey(Staff, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["site", "kind"],
                condition=Q(closed_at__isnull=True),
                name="one_open_task_per_site_and_kind",
            ),
            models.CheckConstraint(
                condition=Q(
                    closed_at__isnull=True,
                    owner__isnull=False,
                    due__isnull=False,
                    outcome__isnull=True,
                )
                | Q(
                    closed_at__isnull=False,
                    owner__isnull=True,
                    due__isnull=True,
                    outcome__isnull=False,
                ),
                name="an_open_task_has_owner_and_due",
            ),
        ]
        indexes = [
            models.Index(fields=["due"], condition=Q(closed_at__isnull=True), name="tasks_open")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.site_id}"


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
