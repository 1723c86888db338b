"""Letters on paper: made once, kept as they were made, printed and posted by people."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Letter(models.Model):
    """One letter as PDF, and how far it is.

    Invariants, kept by the database: one letter per message; a printed one says by whom and when;
    so does a posted one; only what was posted can come back.
    """

    class State(models.TextChoices):
        TO_PRINT = "to_print"
        PRINTED = "printed"
        POSTED = "posted"
        RETURNED = "returned"
        TESTED = "tested"  # the test of a queue, printed: it is never posted

    message = models.OneToOneField(
        "notify.OutboxMessage", on_delete=models.PROTECT, related_name="letter"
    )
    carrier = models.ForeignKey("notify.WayOut", on_delete=models.PROTECT, related_name="+")
    provider_id = models.BigIntegerField()
    site_id = models.BigIntegerField(null=True)
    recipient = models.CharField(max_length=120)
    address = models.CharField(max_length=254)
    subject = models.CharField(max_length=200, blank=True)
    pages = models.PositiveSmallIntegerField()
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    made_at = models.DateTimeField()
    # from when the office is reminded of it
    late_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.TO_PRINT)
    printed_at = models.DateTimeField(null=True)
    printed_by = models.CharField(max_length=80, blank=True)
    posted_at = models.DateTimeField(null=True)
    posted_by = models.CharField(max_length=80, blank=True)
    # of a registered letter: the number on its receipt
    registered_number = models.CharField(max_length=40, blank=True)
    returned_at = models.DateTimeField(null=True)
    return_reason = models.CharField(max_length=200, blank=True)
    # why it went back to the queue the last time
    queue_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state="to_print") | (Q(printed_at__isnull=False) & ~Q(printed_by="")),
                name="a_printed_letter_says_by_whom",
            ),
            models.CheckConstraint(
                condition=(Q(state__in=("to_print", "printed", "tested"), posted_at__isnull=True))
                | (Q(state__in=("posted", "returned"), posted_at__isnull=False) & ~Q(posted_by="")),
                name="a_posted_letter_says_by_whom",
            ),
            models.CheckConstraint(
                condition=Q(state="returned", returned_at__isnull=False)
                | (~Q(state="returned") & Q(returned_at__isnull=True)),
                name="a_returned_letter_says_when",
            ),
        ]
        indexes = [
            models.Index(
                fields=["provider_id", "id"],
                condition=Q(state__in=("to_print", "printed")),
                name="letters_to_post",
            ),
            models.Index(fields=["provider_id", "-posted_at"], name="letters_posted"),
        ]

    def __str__(self) -> str:
        return f"letter {self.pk} {self.state}"
