"""What a provider's office wrote instead of the shipped words. Rows are only ever added."""

from __future__ import annotations

from django.db import models

SUBJECT_MOST, BODY_MOST = 200, 4000


class MessageTemplate(models.Model):
    """One version of a message's words in one language; the highest version holds (M12.3).

    shipped: from this version on the words that meldkamer ships hold again; it has none itself.
    """

    provider = models.ForeignKey("sites.Provider", on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=40)
    language = models.CharField(max_length=2)
    version = models.PositiveIntegerField()
    subject = models.CharField(max_length=SUBJECT_MOST, blank=True)
    body = models.TextField(blank=True)
    shipped = models.BooleanField(default=False)
    made_by = models.CharField(max_length=80)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "key", "language", "version"],
                name="one_number_per_message_version",
            ),
            models.CheckConstraint(
                condition=models.Q(shipped=True, body="", subject="")
                | (models.Q(shipped=False) & ~models.Q(body="")),
                name="a_message_has_words_or_the_shipped_ones",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.language} v{self.version}"
