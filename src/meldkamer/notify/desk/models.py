"""Calls between the desk's telephones and the world, as the exchange (PBX) tells of them.

What the exchange says is a hint: it never settles a step, never identifies anybody (S19.1), and a
number that it shows can be forged. Invariant: a call of the exchange is stored once by its number
there, and a state that was reached is never taken back.
"""

from __future__ import annotations

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q

from meldkamer.notify.models import WayOut
from meldkamer.people.models import Staff


class DeskCall(models.Model):
    """A call that an exchange was asked to place: the desk's telephone rings first, then theirs.

    Written with the step's `call.placed`; asked after that transaction. What has not been placed in
    time is dialled by hand: it is never tried again later, when the operator is elsewhere.
    """

    class State(models.TextChoices):
        ASKED = "asked"  # the exchange is being asked
        PLACED = "placed"  # it took it: the desk's telephone rings
        RINGING = "ringing"  # it rings there
        ANSWERED = "answered"  # somebody or something answered there
        BUSY = "busy"
        NO_ANSWER = "no_answer"
        ENDED = "ended"  # it was answered, and is over
        FAILED = "failed"  # not placed: dial by hand

    way = models.ForeignKey(WayOut, null=True, on_delete=models.PROTECT, related_name="+")
    provider_id = models.BigIntegerField()
    site_id = models.BigIntegerField()
    incident_id = models.BigIntegerField(null=True)
    task_id = models.BigIntegerField(null=True)
    staff = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    # as in the history of an incident: premises, c<id>, a service
    key = models.CharField(max_length=40)
    number = models.CharField(max_length=24)
    extension = models.CharField(max_length=24)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ASKED)
    ref = models.CharField(max_length=120, blank=True)
    asked_at = models.DateTimeField()
    placed_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    # as the exchange counts it, from the answer to the end
    talked_s = models.PositiveIntegerField(null=True)
    fault = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(incident_id__isnull=False) ^ Q(task_id__isnull=False),
                name="a_desk_call_is_of_an_incident_or_a_task",
            ),
        ]
        indexes = [
            models.Index(fields=["incident_id", "-id"], name="desk_calls_of_an_incident"),
            models.Index(fields=["task_id", "-id"], name="desk_calls_of_a_task"),
            # only what forgets looks for the old; block ranges cost writers nothing
            BrinIndex(fields=["asked_at"], name="desk_call_age"),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.state}"


class IncomingCall(models.Model):
    """Somebody rings the centre. `caller` is what the network shows: unproven, and easily forged.

    caller: E.164, "" when withheld or unreadable; caller_text: what was shown then. provider_id:
    whose emergency number was dialled; null when that is nobody's. missed_at: told to the list.
    """

    class State(models.TextChoices):
        RINGING = "ringing"
        ANSWERED = "answered"
        ENDED = "ended"

    way = models.ForeignKey(WayOut, on_delete=models.PROTECT, related_name="+")
    ref = models.CharField(max_length=120)
    provider_id = models.BigIntegerField(null=True)
    caller = models.CharField(max_length=24, blank=True)
    caller_text = models.CharField(max_length=40, blank=True)
    called = models.CharField(max_length=24, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.RINGING)
    came_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    answered_on = models.CharField(max_length=24, blank=True)
    ended_at = models.DateTimeField(null=True)
    taken_by = models.ForeignKey(Staff, null=True, on_delete=models.PROTECT, related_name="+")
    taken_at = models.DateTimeField(null=True)
    # which record was opened for it, once somebody said which
    site_id = models.BigIntegerField(null=True)
    missed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["way", "ref"], name="an_incoming_call_is_stored_once"),
            models.CheckConstraint(
                condition=Q(taken_by__isnull=True, taken_at__isnull=True)
                | Q(taken_by__isnull=False, taken_at__isnull=False),
                name="a_call_taken_has_its_moment",
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"], condition=~Q(state="ended"), name="incoming_calls_that_run"
            ),
            BrinIndex(fields=["came_at"], name="incoming_call_age"),
        ]

    def __str__(self) -> str:
        return f"{self.ref} {self.state}"
