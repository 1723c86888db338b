"""Versions of procedures: of a provider, or of one of its sites, for good or for a period (S14.1).

Drafts may change; a released version never does, it is withdrawn or followed by another. Who
released it is not who wrote it last: kept by the database.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q


class ProcedureVersion(models.Model):
    """One version of one procedure, as the struct `terms.model.Procedure` in JSON.

    `name` is that of the terms file's procedure, or a type alone. `number` counts from 1 per
    provider, site and name. `authors` are all who changed the draft. `ticked` are the codes of the
    warnings that the releasing person accepted.
    """

    provider = models.ForeignKey("sites.Provider", on_delete=models.CASCADE)
    site = models.ForeignKey(
        "sites.Site", null=True, blank=True, on_delete=models.CASCADE, related_name="procedures"
    )
    name = models.CharField(max_length=40)
    number = models.PositiveIntegerField()
    procedure = models.JSONField()
    reason = models.CharField(max_length=200, blank=True)
    # for a draft: from when it is wanted; null: from its release
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    drafted_by = models.CharField(max_length=120)
    drafted_at = models.DateTimeField()
    authors = ArrayField(models.CharField(max_length=120), default=list)
    released_by = models.CharField(max_length=120, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    ticked = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    withdrawn_by = models.CharField(max_length=120, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "site", "name", "number"],
                name="one_number_per_procedure_version",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(released_at__isnull=True, released_by="")
                | (Q(released_at__isnull=False, starts_at__isnull=False) & ~Q(released_by="")),
                name="a_released_version_has_a_releaser_and_a_start",
            ),
            models.CheckConstraint(
                condition=~Q(released_by=F("drafted_by")),
                name="a_version_is_released_by_a_second_person",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True)
                | Q(starts_at__isnull=True)
                | Q(ends_at__gt=F("starts_at")),
                name="a_version_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True, withdrawn_by="")
                | (Q(withdrawn_at__isnull=False, released_at__isnull=False) & ~Q(withdrawn_by="")),
                name="a_withdrawn_version_was_released",
            ),
        ]
        indexes = [
            # what the judging of a signal asks for: few rows of a site, fewer of a provider
            models.Index(
                fields=["provider", "site"],
                condition=Q(released_at__isnull=False),
                name="released_procedures",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.number}"

    @property
    def state(self) -> str:
        """draft, released or withdrawn; whether it holds now is a matter of the time."""
        if self.withdrawn_at is not None:
            return "withdrawn"
        return "released" if self.released_at is not None else "draft"
