"""What leaves the house and what comes back.

Invariant: an outbox row is committed with the decision that made it; a reply is stored before it
is answered and is consumed once, like a signal.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class OutboxMessage(models.Model):
    """One message to one person over one channel."""

    class State(models.TextChoices):
        PENDING = "pending"
        HANDED_OVER = "handed_over"
        FAILED = "failed"
        CANCELLED = "cancelled"

    channel = models.CharField(max_length=8)  # sms, app, mail, letter
    site_id = models.BigIntegerField(null=True)
    incident_id = models.BigIntegerField(null=True)
    contact_id = models.BigIntegerField(null=True)
    recipient = models.CharField(max_length=120)
    address = models.CharField(max_length=254)
    language = models.CharField(max_length=2)
    template = models.CharField(max_length=40)
    subject = models.CharField(max_length=200, blank=True)
    body = models.TextField()
    clause = models.CharField(max_length=12)
    created_at = models.DateTimeField()
    handed_over_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=12, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_fault = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["id"], condition=Q(state="pending"), name="outbox_pending"),
            models.Index(fields=["address", "-created_at"]),
            models.Index(fields=["incident_id"]),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.pk} {self.state}"


class InboundMessage(models.Model):
    """A reply or a text out of the blue, consumed once (S7.3–S7.10)."""

    channel = models.CharField(max_length=8, default="sms")
    sender = models.CharField(max_length=60)
    text = models.TextField(blank=True)
    carrier_ref = models.CharField(max_length=80, blank=True)
    received_at = models.DateTimeField()
    consumed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "carrier_ref"],
                condition=~Q(carrier_ref=""),
                name="a_reply_is_stored_once",
            )
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(consumed_at__isnull=True), name="inbound_new")
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.pk}"


class PatrolUnit(models.Model):
    """A patrol that can be sent (S6.1): where it is and whether it is free."""

    class State(models.TextChoices):
        FREE = "free"
        SENT = "sent"
        ARRIVED = "arrived"
        OFF = "off"

    provider_id = models.BigIntegerField()
    name = models.CharField(max_length=40)
    state = models.CharField(max_length=8, choices=State.choices, default=State.FREE)
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    incident_id = models.BigIntegerField(null=True, blank=True)
    reported_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider_id", "name"], name="one_unit_per_name")
        ]

    def __str__(self) -> str:
        return self.name
