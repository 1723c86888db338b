"""All that must happen, one row each with its due time.

Invariant: a thing not on the agenda will not happen; a thing on it will, once, after any crash.
A row is done in the very transaction of its act.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class AgendaRow(models.Model):
    """One due thing. `kind` names the act, `subject` whom it is about, unique while open."""

    kind = models.CharField(max_length=40)
    subject = models.CharField(max_length=80)
    due = models.DateTimeField()
    # 0: states that end are acted on before everything else of the same instant (R1a)
    rank = models.PositiveSmallIntegerField(default=1)
    # the class of what it is about (S15.1), 5 for none: in a backlog 1 and 2 come first
    urgency = models.PositiveSmallIntegerField(default=5, db_default=5)
    payload = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_fault = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"],
                condition=Q(done_at__isnull=True),
                name="one_open_agenda_row_per_subject",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due", "id"], condition=Q(done_at__isnull=True), name="agenda_open_by_due"
            ),
            models.Index(
                fields=["due", "id"],
                condition=Q(done_at__isnull=True, urgency__lte=2),
                name="agenda_urgent_by_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject} {self.due.isoformat()}"
