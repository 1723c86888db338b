"""Whose phone has the app: the links that let it in, the phones, and where each is pushed to.

Invariant: a phone belongs to a contact by a link that one of the office gave him, that was used
once, and that was not taken back. Tokens are kept as hashes alone; whoever reads this table gets
into no app. Never: anything else of the site.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from meldkamer.sites.models import Contact


class AppPhone(models.Model):
    """A phone with the app. One phone may have links of several contacts: one person, two sites."""

    token_mac = models.BinaryField(unique=True)
    user_agent = models.CharField(max_length=200, blank=True)
    made_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"phone {self.pk}"


class AppLink(models.Model):
    """What a contact was given to get into the app: used once, until its day, unless taken back."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="app_links")
    token_mac = models.BinaryField(unique=True)
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=80)
    until = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    phone = models.ForeignKey(AppPhone, null=True, on_delete=models.CASCADE, related_name="links")
    voided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(used_at__isnull=True, phone__isnull=True)
                | Q(used_at__isnull=False, phone__isnull=False),
                name="a_used_link_has_its_phone",
            ),
            models.UniqueConstraint(
                fields=["contact"],
                condition=Q(used_at__isnull=True, voided_at__isnull=True),
                name="one_open_link_per_contact",
            ),
        ]

    def __str__(self) -> str:
        return f"link {self.pk} of contact {self.contact_id}"


class PushSubscription(models.Model):
    """Where a phone is pushed to, and with which keys; ended when its push service says so."""

    phone = models.ForeignKey(AppPhone, on_delete=models.CASCADE, related_name="subscriptions")
    endpoint = models.CharField(max_length=1000)
    p256dh = models.CharField(max_length=100)
    auth = models.CharField(max_length=40)
    made_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint"],
                condition=Q(gone_at__isnull=True),
                name="one_subscription_per_endpoint",
            ),
        ]

    def __str__(self) -> str:
        return f"subscription {self.pk}"
