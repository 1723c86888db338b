"""What goes with a mail, what came back of it, and which addresses do not work any more."""

from __future__ import annotations

from django.db import models


class OutboxAttachment(models.Model):
    """A paper that goes with a message, byte for byte as it was when the message was decided."""

    message = models.ForeignKey(
        "notify.OutboxMessage", on_delete=models.CASCADE, related_name="attachments"
    )
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=120)
    content_type = models.CharField(max_length=40)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["message", "position"], name="one_attachment_per_position"
            ),
        ]
        ordering = ["message", "position"]

    def __str__(self) -> str:
        return self.name


class IncomingMail(models.Model):
    """A mail that came back to a message of ours: kept before it is answered, and only once."""

    class Kind(models.TextChoices):
        FAILED = "failed"  # it will never arrive
        DELAYED = "delayed"  # it is still tried
        DELIVERED = "delivered"  # a receipt of the other server
        AUTOMATIC = "automatic"  # away, out of office: nobody read ours
        OTHER = "other"  # something else; the office can read it

    message = models.ForeignKey(
        "notify.OutboxMessage", on_delete=models.PROTECT, related_name="came_back"
    )
    kind = models.CharField(max_length=10, choices=Kind.choices)
    # RFC 3463, as 5.1.1; empty when it says none
    code = models.CharField(max_length=12, blank=True)
    detail = models.CharField(max_length=500, blank=True)
    sha256 = models.CharField(max_length=64)
    # the first part of it, as it came
    content = models.BinaryField()
    received_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["message", "sha256"], name="a_mail_that_came_back_is_kept_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.message_id} {self.kind}"


class BouncedAddress(models.Model):
    """An address of a provider's people that a mail came back from. In lower case.

    It is still written to: a full mailbox is emptied. Who reads the record sees it is in doubt.
    """

    provider_id = models.BigIntegerField()
    address = models.CharField(max_length=254)
    bounced_at = models.DateTimeField()
    code = models.CharField(max_length=12, blank=True)
    detail = models.CharField(max_length=500, blank=True)
    message = models.ForeignKey(
        "notify.OutboxMessage", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    # somebody looked, or a later mail arrived
    cleared_at = models.DateTimeField(null=True)
    cleared_by = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider_id", "address"], name="one_row_per_bounced_address"
            ),
        ]

    def __str__(self) -> str:
        return f"bounced {self.bounced_at.isoformat()}"
