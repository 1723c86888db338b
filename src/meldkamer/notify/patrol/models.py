"""What a patrol's page rests on: who may open it, which job a unit has, what it told.

Kept by the database: a unit has one job at a time; an incident has one standing offer at a time; a
job that is over says when; what a phone sent is stored once, however often it sends it.
"""

from __future__ import annotations

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q


class PatrolAccess(models.Model):
    """A link and a PIN with which one unit opens its page; a new one voids the old.

    Neither is kept: the link as a keyed hash, the PIN as a password's hash.
    """

    unit = models.ForeignKey("notify.PatrolUnit", on_delete=models.CASCADE, related_name="accesses")
    token_mac = models.BinaryField(unique=True)
    pin = models.CharField(max_length=200)
    issued_at = models.DateTimeField()
    issued_by = models.CharField(max_length=80)
    used_at = models.DateTimeField(null=True, blank=True)
    # wrong PINs since the last right one, from wherever they came
    failed = models.PositiveSmallIntegerField(default=0)
    voided_at = models.DateTimeField(null=True, blank=True)
    voided_by = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["unit"], condition=Q(voided_at__isnull=True), name="one_access_per_unit"
            ),
        ]

    def __str__(self) -> str:
        return f"access of {self.unit_id}"


class PatrolJob(models.Model):
    """One unit asked to go to one site, and what came of it (S6.1)."""

    class State(models.TextChoices):
        OFFERED = "offered"
        ACCEPTED = "accepted"
        ARRIVED = "arrived"
        DONE = "done"
        DECLINED = "declined"
        UNANSWERED = "unanswered"
        WITHDRAWN = "withdrawn"

    provider_id = models.BigIntegerField()
    unit = models.ForeignKey("notify.PatrolUnit", on_delete=models.PROTECT, related_name="jobs")
    site_id = models.BigIntegerField()
    # null: asked for by telephone, without an incident
    incident_id = models.BigIntegerField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OFFERED)
    offered_at = models.DateTimeField()
    answer_by = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    arrived_at = models.DateTimeField(null=True, blank=True)
    found_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    finding = models.CharField(max_length=12, blank=True)
    # why it cannot, or why it was withdrawn
    reason = models.CharField(max_length=200, blank=True)
    km = models.FloatField(null=True, blank=True)
    road_s = models.PositiveIntegerField(null=True, blank=True)
    # units that were asked before it in this search, by number
    passed = models.JSONField(default=list, blank=True)
    # road times of this search in seconds, by the unit's number; asked for before it began
    roads = models.JSONField(default=dict, blank=True)
    codes_shown_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["unit"],
                condition=Q(state__in=["offered", "accepted", "arrived"]),
                name="one_job_at_a_time",
            ),
            models.UniqueConstraint(
                fields=["incident_id"],
                condition=Q(state="offered", incident_id__isnull=False),
                name="one_standing_offer_per_incident",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["offered", "accepted", "arrived"], ended_at__isnull=True)
                | (~Q(state__in=["offered", "accepted", "arrived"]) & Q(ended_at__isnull=False)),
                name="a_job_that_is_over_says_when",
            ),
            models.CheckConstraint(
                condition=~Q(state="arrived") | Q(arrived_at__isnull=False),
                name="who_arrived_says_when",
            ),
        ]
        indexes = [
            models.Index(fields=["incident_id"]),
            models.Index(fields=["unit", "-offered_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.state}"


class PatrolEntry(models.Model):
    """One thing that was entered on a unit's phone, with the phone's own number of it.

    The phone sends until it is told that this row exists; the second time it is told what was
    answered the first time. `said_at` is the phone's clock, which is not believed.
    """

    unit = models.ForeignKey("notify.PatrolUnit", on_delete=models.PROTECT, related_name="entries")
    job = models.ForeignKey(PatrolJob, null=True, on_delete=models.PROTECT, related_name="entries")
    client_id = models.UUIDField()
    kind = models.CharField(max_length=12)
    said_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField()
    content = models.JSONField(default=dict, blank=True)
    # "" when it was carried out, else the reason why not
    refused = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["unit", "client_id"], name="an_entry_is_stored_once"),
        ]
        indexes = [
            # only what forgets looks for the old; block ranges cost writers nothing
            BrinIndex(fields=["received_at"], name="patrol_entry_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.client_id}"


class PatrolPhoto(models.Model):
    """A photo as the phone took it: kept byte for byte with its digest, never changed (S6.1)."""

    job = models.ForeignKey(PatrolJob, on_delete=models.PROTECT, related_name="photos")
    entry = models.OneToOneField(PatrolEntry, on_delete=models.PROTECT, related_name="photo")
    content_type = models.CharField(max_length=20)  # found in the content
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    received_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"photo {self.pk}"
