"""Read models of the journal. Tables, partitions and grants are made by SQL in the migrations.

The journal is append-only: the application's role may INSERT and SELECT. Writers are
`journal.store` (frames and signals) and `journal.commands` (entries), nobody else.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Frame(models.Model):
    """A frame as it came in, with what the receiver made of it."""

    received_at = models.DateTimeField()
    transport = models.CharField(max_length=12)
    source = models.CharField(max_length=80)
    raw = models.BinaryField()
    protocol = models.CharField(max_length=12)
    token = models.CharField(max_length=24)
    account = models.CharField(max_length=24)
    receiver = models.CharField(max_length=8, null=True)  # noqa: DJ001
    line = models.CharField(max_length=8, null=True)  # noqa: DJ001
    seq = models.CharField(max_length=8)
    encrypted = models.BooleanField()
    disposition = models.CharField(max_length=20)
    reasons = ArrayField(models.TextField())
    duplicate_of = models.BigIntegerField(null=True)
    panel_time = models.DateTimeField(null=True)
    clock_skew_s = models.IntegerField(null=True)
    content = models.TextField()
    xdata = models.JSONField()
    reply = models.CharField(max_length=4)
    transmitter_id = models.BigIntegerField(null=True)
    site_id = models.BigIntegerField(null=True)

    class Meta:
        managed = False
        db_table = "journal_frame"


class Signal(models.Model):
    """One decoded message: what exactly one verdict is given on."""

    frame_id = models.BigIntegerField(null=True)
    received_at = models.DateTimeField()
    ordinal = models.PositiveSmallIntegerField()
    site_id = models.BigIntegerField(null=True)
    transmitter_id = models.BigIntegerField(null=True)
    account = models.CharField(max_length=24)
    origin = models.CharField(max_length=12)
    code = models.CharField(max_length=16)
    protocol = models.CharField(max_length=12)
    role = models.CharField(max_length=12)
    type = models.CharField(max_length=24)
    klass = models.CharField(max_length=24)
    zone = models.CharField(max_length=8, null=True)  # noqa: DJ001
    area = models.CharField(max_length=8, null=True)  # noqa: DJ001
    user = models.CharField(max_length=8, null=True, db_column="user_no")  # noqa: DJ001
    text = models.TextField(null=True)  # noqa: DJ001
    panel_time = models.DateTimeField(null=True)
    detail = models.JSONField()

    class Meta:
        managed = False
        db_table = "journal_signal"


class Entry(models.Model):
    """One thing that happened, with its clause: a line of the timeline (M12.3)."""

    at = models.DateTimeField()
    provider_id = models.BigIntegerField(null=True)
    site_id = models.BigIntegerField(null=True)
    incident_id = models.BigIntegerField(null=True)
    signal_id = models.BigIntegerField(null=True)
    what = models.CharField(max_length=40)
    type = models.CharField(max_length=24)
    recipient = models.CharField(max_length=120)
    clause = models.CharField(max_length=12)
    reason = models.TextField()
    actor = models.CharField(max_length=80)
    data = models.JSONField()

    class Meta:
        managed = False
        db_table = "journal_entry"
