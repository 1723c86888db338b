"""What should come and did not: line tests and opening hours.

Invariant: for each watched site one row says what is expected next; its deadline is on the agenda.
"""

from __future__ import annotations

from django.db import models

from meldkamer.sites.models import Site


class LineTestWatch(models.Model):
    """The next expected test message of a site and how many were missed in a row (S10.3)."""

    site = models.OneToOneField(Site, on_delete=models.CASCADE, related_name="line_test_watch")
    expected_at = models.DateTimeField()
    missed = models.PositiveSmallIntegerField(default=0)
    last_test_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.site_id} {self.expected_at.isoformat()}"


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
