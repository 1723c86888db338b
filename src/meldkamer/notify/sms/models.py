"""Texts that came in over SMPP, until it is known that the centre does not bring them again.

SMPP gives a text that a person sent no number of its own. This table does: so the same text,
brought again because our answer was lost, is known, and two equal answers of a person are two. It
also keeps the pieces of a long answer until it is whole. Rows go away after some days; what a
person sent stays in the inbox.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class SmsArrival(models.Model):
    """One deliver_sm with a person's text, or one piece of it (of > 0)."""

    carrier = models.ForeignKey("notify.WayOut", on_delete=models.CASCADE, related_name="+")
    # what it is told by: a hash of all that the centre said of it
    digest = models.CharField(max_length=64)
    # the connection it last came over
    session = models.CharField(max_length=32)
    arrived_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    # stored in the inbox
    given_at = models.DateTimeField(null=True)
    sender = models.CharField(max_length=60, blank=True)
    to = models.CharField(max_length=60, blank=True)
    text = models.TextField(blank=True)
    piece_ref = models.PositiveIntegerField(default=0)
    piece_of = models.PositiveSmallIntegerField(default=0)
    piece_number = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["carrier", "sender", "to", "piece_ref", "piece_of", "piece_number"],
                condition=Q(piece_of__gt=0, given_at=None),
                name="a_piece_is_kept_once",
            )
        ]
        indexes = [
            models.Index(fields=["carrier", "digest", "-arrived_at"], name="sms_arrival_digest"),
            models.Index(fields=["arrived_at"], name="sms_arrival_age"),
        ]

    def __str__(self) -> str:
        return f"{self.digest[:8]} {self.pk}"
