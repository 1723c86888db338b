"""What leaves the house, over which carriers, and what comes back.

Invariant: an outbox row is committed with the decision that made it; a receipt and a reply are
stored before they are answered and are consumed once, like a signal.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q


class WayOut(models.Model):
    """A carrier that an installation has: of one provider, or of every provider (null).

    `secrets_sealed` is never shown; `hook_mac` is the hash of the token in its web hooks' address.
    """

    class State(models.TextChoices):
        UNKNOWN = "unknown"
        UP = "up"
        DOWN = "down"

    provider_id = models.BigIntegerField(null=True, blank=True)
    channel = models.CharField(max_length=12)
    kind = models.CharField(max_length=16)
    name = models.CharField(max_length=60)
    # 1 is asked first
    priority = models.PositiveSmallIntegerField(default=1)
    enabled = models.BooleanField(default=True)
    settings = models.JSONField(default=dict, blank=True)
    secrets_sealed = models.BinaryField(null=True, blank=True)
    # an answer to what it sent comes back to us (S7.3)
    two_way = models.BooleanField(default=False)
    # so many messages a second at most; null: as fast as it takes them
    per_second = models.FloatField(null=True, blank=True)
    hook_mac = models.BinaryField(null=True, blank=True, unique=True)
    # whom to call when it fails (S16.2, D904.2)
    help_phone = models.CharField(max_length=24, blank=True)
    # counts each change of the fields above, so that its line starts again
    version = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=8, choices=State.choices, default=State.UNKNOWN)
    since = models.DateTimeField(null=True, blank=True)
    beat_at = models.DateTimeField(null=True, blank=True)
    # it asked to be left alone until then; meanwhile others are asked
    rests_until = models.DateTimeField(null=True, blank=True)
    last_fault = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider_id", "channel", "name"],
                nulls_distinct=False,
                name="one_carrier_per_name",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class OutboxMessage(models.Model):
    """One message to one person over one channel.

    pending → sending (a line has it) → handed over → delivered; waiting: for its next try, which
    stands on the agenda. A row is never deleted while it can still be sent.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        SENDING = "sending"
        WAITING = "waiting"
        HANDED_OVER = "handed_over"
        DELIVERED = "delivered"
        FAILED = "failed"
        CANCELLED = "cancelled"

    channel = models.CharField(max_length=12)  # sms, app, mail, letter, voice, authority
    provider_id = models.BigIntegerField(null=True)
    site_id = models.BigIntegerField(null=True)
    incident_id = models.BigIntegerField(null=True)
    contact_id = models.BigIntegerField(null=True)
    recipient = models.CharField(max_length=120)
    address = models.CharField(max_length=254)
    language = models.CharField(max_length=2)
    template = models.CharField(max_length=40)
    # the panel maker's cloud that the site's sheet names: no other carrier takes it (S8.3)
    cloud = models.CharField(max_length=80, blank=True, default="")
    subject = models.CharField(max_length=200, blank=True)
    body = models.TextField()
    clause = models.CharField(max_length=12)
    created_at = models.DateTimeField()
    handed_over_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=12, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_fault = models.TextField(blank=True)
    # what a throttle never holds back, and what goes before other things
    first_of_incident = models.BooleanField(default=False)
    urgency = models.PositiveSmallIntegerField(default=5)
    # whose it is now, or who is to take it; null: whoever is asked first
    carrier = models.ForeignKey(WayOut, null=True, on_delete=models.PROTECT, related_name="+")
    carrier_ref = models.CharField(max_length=120, blank=True)
    claimed_at = models.DateTimeField(null=True)
    # carriers that did not take it since it last waited
    tried = ArrayField(models.BigIntegerField(), default=list)
    # sent again without knowing whether the carrier had taken it
    doubts = models.PositiveSmallIntegerField(default=0)
    delivered_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                "channel",
                "provider_id",
                models.F("first_of_incident").desc(),
                "urgency",
                "id",
                condition=Q(state="pending"),
                name="outbox_pending",
            ),
            models.Index(
                fields=["id"],
                condition=Q(state__in=("pending", "sending", "waiting")),
                name="outbox_unsent",
            ),
            models.Index(
                fields=["carrier", "id"],
                condition=Q(state__in=("pending", "sending")),
                name="outbox_at_carrier",
            ),
            models.Index(
                fields=["carrier", "carrier_ref"], condition=~Q(carrier_ref=""), name="outbox_ref"
            ),
            # what the pages of carriers count of the last hour
            models.Index(
                fields=["handed_over_at"],
                condition=Q(handed_over_at__isnull=False),
                name="outbox_by_hour",
            ),
            models.Index(fields=["address", "-created_at"]),
            models.Index(fields=["incident_id"]),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.pk} {self.state}"


class InboundMessage(models.Model):
    """A reply or a text out of the blue, consumed once (S7.3–S7.10)."""

    channel = models.CharField(max_length=8, default="sms")
    sender = models.CharField(max_length=60)
    # the number it was sent to, as its carrier says
    to = models.CharField(max_length=60, blank=True)
    text = models.TextField(blank=True)
    carrier = models.ForeignKey(WayOut, null=True, on_delete=models.PROTECT, related_name="+")
    # "7:…" of carrier 7: numbers of two carriers never meet
    carrier_ref = models.CharField(max_length=120, blank=True)
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
            models.Index(fields=["id"], condition=Q(consumed_at__isnull=True), name="inbound_new"),
            # here and below: only what forgets looks for the old; block ranges cost writers nothing
            BrinIndex(fields=["received_at"], name="inbound_age"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.pk}"


class Receipt(models.Model):
    """What a carrier told of a message it took; stored before it is answered, consumed once."""

    carrier = models.ForeignKey(WayOut, on_delete=models.PROTECT, related_name="+")
    ref = models.CharField(max_length=120)
    state = models.CharField(max_length=16)
    detail = models.CharField(max_length=500, blank=True)
    received_at = models.DateTimeField()
    consumed_at = models.DateTimeField(null=True)
    # the transaction in which its message was looked for first and was not there
    sought = models.BigIntegerField(null=True)
    # nobody knows its message: looked at again when a message with this ref is noted
    aside = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["carrier", "ref", "state"], name="a_receipt_is_stored_once"
            )
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(consumed_at__isnull=True), name="receipt_new"),
            models.Index(
                fields=["id"],
                condition=Q(consumed_at__isnull=True, aside=False),
                name="receipt_waits",
            ),
            BrinIndex(fields=["received_at"], name="receipt_age"),
        ]

    def __str__(self) -> str:
        return f"{self.ref} {self.state}"


class PatrolUnit(models.Model):
    """A patrol that can be sent (S6.1): where it is and whether it is free."""

    class State(models.TextChoices):
        FREE = "free"
        OFFERED = "offered"  # asked over its page, not answered yet
        SENT = "sent"
        ARRIVED = "arrived"
        OFF = "off"

    provider_id = models.BigIntegerField()
    name = models.CharField(max_length=40)
    phone = models.CharField(max_length=24, blank=True)
    language = models.CharField(max_length=2, default="nl")
    # asked over its own page; without one it is told by radio and counts as sent at once
    has_page = models.BooleanField(default=False)
    # when it may be asked, as `rules.shifts` reads them; none: at any time
    shifts = models.JSONField(default=list, blank=True)
    timezone = models.CharField(max_length=40, default="Europe/Brussels")
    state = models.CharField(max_length=8, choices=State.choices, default=State.FREE)
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    positioned_at = models.DateTimeField(null=True, blank=True)
    # its page told where it is: where a person is, so it is forgotten soon
    place_shared = models.BooleanField(default=False, db_default=False)
    incident_id = models.BigIntegerField(null=True, blank=True)
    reported_at = models.DateTimeField()
    # last sign of life of its page
    seen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider_id", "name"], name="one_unit_per_name")
        ]

    def __str__(self) -> str:
        return self.name


# each channel keeps its own tables beside its code
from meldkamer.notify.desk.models import DeskCall as DeskCall  # noqa: E402
from meldkamer.notify.desk.models import IncomingCall as IncomingCall  # noqa: E402
from meldkamer.notify.mail.models import BouncedAddress as BouncedAddress  # noqa: E402
from meldkamer.notify.mail.models import IncomingMail as IncomingMail  # noqa: E402
from meldkamer.notify.mail.models import OutboxAttachment as OutboxAttachment  # noqa: E402
from meldkamer.notify.patrol.models import PatrolAccess as PatrolAccess  # noqa: E402
from meldkamer.notify.patrol.models import PatrolEntry as PatrolEntry  # noqa: E402
from meldkamer.notify.patrol.models import PatrolJob as PatrolJob  # noqa: E402
from meldkamer.notify.patrol.models import PatrolPhoto as PatrolPhoto  # noqa: E402
from meldkamer.notify.post.models import Letter as Letter  # noqa: E402
from meldkamer.notify.push.models import AppLink as AppLink  # noqa: E402
from meldkamer.notify.push.models import AppPhone as AppPhone  # noqa: E402
from meldkamer.notify.push.models import PushSubscription as PushSubscription  # noqa: E402
from meldkamer.notify.sms.models import SmsArrival as SmsArrival  # noqa: E402
from meldkamer.notify.templates.models import MessageTemplate as MessageTemplate  # noqa: E402
