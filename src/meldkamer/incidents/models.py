"""Incidents: one alarm being handled, and the one verdict of each signal.

Kept by the database: open means an owner and a due time, closed means an outcome and neither; one
open incident per site, type and area, save one that a duress code made a hold-up; one verdict per
signal.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from meldkamer.people.models import Staff
from meldkamer.sites.models import Provider, Site


class Incident(models.Model):
    """One alarm being handled. What happened in it is in the journal, by `incident_id`."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        TEXTING = "texting", _("texting")
        QUEUED = "queued", _("queued")
        TAKEN = "taken", _("taken")
        HELD = "held", _("on hold")
        CLOSED = "closed", _("closed")

    class Outcome(models.TextChoices):
        HANDLED = "handled", _("handled")
        CONFIRMED_BY_SMS = "confirmed_by_sms", _("confirmed by text")
        CONFIRMED_BY_CALL = "confirmed_by_call", _("confirmed by a call")
        FALSE_ALARM = "false_alarm", _("false alarm")
        RESTORED = "restored", _("restored")
        GENERAL_OUTAGE = "general_outage", _("general outage")
        NOTIFIED = "notified", _("notified")
        NOBODY_REACHED = "nobody_reached", _("nobody reached")
        UNWATCHED = "unwatched", _("no longer watched")

    provider = models.ForeignKey(Provider, on_delete=models.PROTECT)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="incidents")
    type = models.CharField(max_length=24)
    # of open/close alone, which has an incident per area (S11.1)
    area = models.CharField(max_length=64, blank=True)
    priority = models.PositiveSmallIntegerField()
    opened_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State.choices)
    # "system", "operators", "everyone", "supervisor" or "staff:<id>"; null when closed
    owner = models.CharField(max_length=40, null=True)  # noqa: DJ001 - null is the invariant
    due = models.DateTimeField(null=True)
    holder = models.ForeignKey(Staff, null=True, on_delete=models.PROTECT, related_name="+")
    taken_at = models.DateTimeField(null=True)
    first_taken_at = models.DateTimeField(null=True)
    queued_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=20, null=True, choices=Outcome.choices)  # noqa: DJ001
    # why it waits: power, second_pass, override, hold
    wait_for = models.CharField(max_length=16, blank=True)
    rung = models.PositiveSmallIntegerField(default=0)
    in_trial = models.BooleanField(default=False)
    verified_by = models.CharField(max_length=12, blank=True)
    origin = models.CharField(max_length=16, default="signal")
    # as the transmitter sent them, which may be longer than any sheet knows
    zone = models.CharField(max_length=64, blank=True)
    code = models.CharField(max_length=64, blank=True)
    terms = models.CharField(max_length=80)
    # the procedure it was opened with stays its own (architecture, "terms")
    procedure = models.JSONField(default=dict)
    unseen = models.PositiveIntegerField(default=0)
    version = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["site", "type", "area"],
                # one that became a hold-up in a call stands beside the site's own (M7.1, R10)
                condition=Q(closed_at__isnull=True) & ~Q(origin="duress"),
                name="one_open_incident_per_site_and_kind",
            ),
            models.CheckConstraint(
                condition=(
                    Q(
                        closed_at__isnull=True,
                        owner__isnull=False,
                        due__isnull=False,
                        outcome__isnull=True,
                    )
                    & ~Q(state="closed")
                )
                | Q(
                    closed_at__isnull=False,
                    owner__isnull=True,
                    due__isnull=True,
                    outcome__isnull=False,
                    state="closed",
                ),
                name="open_has_owner_and_due_closed_has_outcome",
            ),
            models.CheckConstraint(
                condition=Q(area="") | Q(type="open_close"),
                name="only_open_close_has_an_area",
            ),
            models.CheckConstraint(
                condition=(Q(state__in=["taken", "held"], holder__isnull=False))
                | (~Q(state__in=["taken", "held"]) & Q(holder__isnull=True)),
                name="taken_has_a_holder",
            ),
        ]
        indexes = [
            models.Index(
                fields=["priority", "opened_at"],
                condition=Q(closed_at__isnull=True),
                name="open_incidents_by_priority",
            ),
            # tens of thousands may be open in a storm: the desk reads the first and the late ones
            models.Index(
                fields=["priority", "opened_at", "id"],
                condition=Q(state="queued"),
                name="free_incidents_by_priority",
            ),
            models.Index(
                fields=["due"], condition=Q(closed_at__isnull=True), name="open_incidents_by_due"
            ),
            models.Index(fields=["closed_at"], name="closed_incidents_by_time"),
            models.Index(fields=["site", "-opened_at"]),
            # the auditor goes round and round through what is open
            models.Index(
                fields=["id"], condition=Q(closed_at__isnull=True), name="open_incidents_by_number"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.type}"


class Verdict(models.Model):
    """What was decided about a signal: exactly one row each, with reason and clause (M12.1)."""

    signal_id = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    verdict = models.CharField(max_length=20)
    reason = models.CharField(max_length=120, blank=True)
    clause = models.CharField(max_length=12, blank=True)
    incident = models.ForeignKey(
        Incident, null=True, on_delete=models.PROTECT, related_name="verdicts"
    )
    site = models.ForeignKey(Site, null=True, on_delete=models.PROTECT)

    class Meta:
        indexes = [models.Index(fields=["site", "-at"])]

    def __str__(self) -> str:
        return f"{self.signal_id} {self.verdict}"


class Notice(models.Model):
    """Something for the supervisor's or operators' list that is no incident (S10.7, S7.10)."""

    provider = models.ForeignKey(Provider, null=True, on_delete=models.PROTECT)
    at = models.DateTimeField()
    kind = models.CharField(max_length=24)
    clause = models.CharField(max_length=12)
    text = models.TextField()
    site = models.ForeignKey(Site, null=True, on_delete=models.PROTECT)
    incident = models.ForeignKey(Incident, null=True, on_delete=models.PROTECT)
    signal_id = models.BigIntegerField(null=True)
    seen_by = models.ForeignKey(Staff, null=True, on_delete=models.PROTECT)
    seen_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["at"], condition=Q(seen_at__isnull=True), name="notices_not_seen_yet"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.at.isoformat()}"


class AreaOutage(models.Model):
    """A general power outage found from the signals themselves (S10.2)."""

    provider = models.ForeignKey(Provider, on_delete=models.PROTECT)
    area = models.CharField(max_length=40)
    postal_code = models.CharField(max_length=10, blank=True)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    declared_at = models.DateTimeField()
    last_power_at = models.DateTimeField()
    first_restore_at = models.DateTimeField(null=True)
    rechecked_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    # a supervisor said that it is none: each site is handled singly again
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(Staff, null=True, on_delete=models.PROTECT, related_name="+")
    undo_reason = models.CharField(max_length=200, blank=True)
    sites = models.ManyToManyField(Site)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(undone_at__isnull=True)
                | (Q(ended_at__isnull=False) & ~Q(undo_reason="")),
                name="an_outage_undone_has_ended_with_a_reason",
            ),
        ]
        indexes = [
            models.Index(
                fields=["provider", "postal_code"],
                condition=Q(ended_at__isnull=True),
                name="outages_that_run",
            ),
        ]

    def __str__(self) -> str:
        return self.area


class HouseCheck(models.Model):
    """One rule of the house as the auditor last saw it kept (`house_checks` alone writes it)."""

    name = models.CharField(max_length=40, primary_key=True)
    clause = models.CharField(max_length=12)
    checked_at = models.DateTimeField()
    broken_since = models.DateTimeField(null=True)
    count = models.PositiveIntegerField(default=0)
    # rows of (kind, id, site, at, note)
    findings = models.JSONField(default=list)
    # where a check that walks through a table goes on
    mark = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return self.name
