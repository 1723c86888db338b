"""Plays one story: the virtual clock, and within an instant the order of R1.

Only clock, people and carriers are replaced. Everything else is the production code, on real
tables, inside one transaction that is rolled back when the story is over.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from meldkamer.agenda import commands as agenda
from meldkamer.agenda.models import AgendaRow
from meldkamer.contracts.models import TestMode
from meldkamer.engine import cycle
from meldkamer.engine.acts import ACTS
from meldkamer.incidents.models import Incident
from meldkamer.notify.carriers import all_sandbox
from meldkamer.notify.models import OutboxMessage
from meldkamer.rehearsal import happenings, operators
from meldkamer.rehearsal.operators import Operator
from meldkamer.rehearsal.story import EventPart
from meldkamer.rehearsal.world import World, later

_LONGEST_DAYS = 7


class Player:
    """A story being played."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.now = world.story.start
        self.operators = [Operator(s, world.story.pace) for s in world.operators]
        # a stable order at one instant: as in the file
        self.events = sorted(world.story.events, key=lambda event: event[0])
        self.replies: list[tuple[datetime, int, str, str]] = []
        self.answered: set[tuple[int, int]] = set()
        self.answered_to = 0
        self.carriers = all_sandbox()

    def play(self) -> datetime:
        """Play to the end; returns the instant of the end."""
        self._flush()
        while True:
            at = self._next()
            if at is None or self._over(at):
                break
            self.now = max(at, self.now)
            self._instant()
        return self._end()

    def _end(self) -> datetime:
        until = self.world.story.until
        return max(until, self.now) if until is not None else self.now

    def _next(self) -> datetime | None:
        times = [at for at, _, _ in self.events[:1]]
        times += [at for at, _, _, _ in self.replies]
        times += [op.until for op in self.operators if op.until is not None]
        due = agenda.next_due()
        if due is not None:
            times.append(due)
        return min(times, default=None)

    def _over(self, at: datetime) -> bool:
        story = self.world.story
        if story.until is not None:
            return at > story.until
        last = max((event[0] for event in story.events), default=story.start)
        if (at - max(last, story.start)).total_seconds() > _LONGEST_DAYS * 86400:
            return True
        return not self.events and self._settled()

    def _settled(self) -> bool:
        """R28: no incident is open and no test runs."""
        return (
            not Incident.objects.filter(closed_at=None).exists()
            and not TestMode.objects.filter(ended_at=None).exists()
        )

    def _instant(self) -> None:
        """Everything of one instant, in the order of R1, until nothing of it is left."""
        while self._one_round():
            pass

    def _one_round(self) -> bool:
        """One pass over the phases; True when another one may find something."""
        phases: tuple[Callable[[], bool], ...] = (
            self._ends,
            self._event,
            self._reply,
            self._due,
            self._step,
            self._take,
        )
        return any(phase() for phase in phases)

    def _ends(self) -> bool:
        return self._act((0,))

    def _due(self) -> bool:
        return self._act((1,))

    def _act(self, ranks: tuple[int, ...]) -> bool:
        for row_id in agenda.due_rows(self.now, ranks=ranks, limit=1):
            agenda.act_on(row_id, ACTS, self.now)
            self._flush()
            return True
        return False

    def _event(self) -> bool:
        if not self.events or self.events[0][0] > self.now:
            return False
        _, event, kind = self.events.pop(0)
        self._play(event, kind)
        self._flush()
        return True

    def _play(self, event: EventPart, kind: str) -> None:
        if kind == "crash":
            self._crash()
        else:
            happenings.PLAYED[kind](self.world, event, self.now)

    def _crash(self) -> None:
        """What the worker only had in mind is gone; what it must do is in the tables."""
        self.carriers = all_sandbox()
        AgendaRow.objects.filter(done_at=None, due__lte=self.now).update(attempts=0)

    def _reply(self) -> bool:
        ready = sorted(reply for reply in self.replies if reply[0] <= self.now)
        if not ready:
            return False
        self.replies.remove(ready[0])
        _, _, sender, text = ready[0]
        happenings.receive_text(sender, text, self.now)
        self._flush()
        return True

    def _step(self) -> bool:
        ready = [op for op in self.operators if op.until is not None and op.until <= self.now]
        if not ready:
            return False
        operators.finish_step(min(ready, key=lambda op: op.incident or 0), self.world, self.now)
        self._flush()
        return True

    def _take(self) -> bool:
        self._look_up()
        for operator in self.operators:
            if operator.free() and operators.take(operator, self.now):
                self._flush()
                return True
        return False

    def _look_up(self) -> None:
        """An operator whose incident was closed under him is free at once."""
        for operator in self.operators:
            if operator.incident is not None:
                taken = Incident.objects.filter(
                    pk=operator.incident, state=Incident.State.TAKEN, holder=operator.staff
                )
                if not taken.exists():
                    operator.drop()

    def _flush(self) -> None:
        """What follows at once: signals of the watch, replies, messages to their carriers."""
        while cycle.judge_all(self.now) or cycle.consume_all(self.now):
            pass
        cycle.hand_over(self.carriers, self.now)
        self._note_texts()

    def _note_texts(self) -> None:
        """The first text of each incident is answered as the script says (R9)."""
        texts = OutboxMessage.objects.filter(
            channel="sms", state=OutboxMessage.State.HANDED_OVER, incident_id__isnull=False
        ).order_by("id")
        if self.answered_to:
            texts = texts.filter(pk__gt=self.answered_to)
        for text in texts:
            self.answered_to = text.pk
            key = (int(text.incident_id or 0), int(text.contact_id or 0))
            script = self.world.contacts.get(key[1])
            if script is None or script.sms is None or key in self.answered:
                continue
            self.answered.add(key)
            at = later(text.handed_over_at or self.now, script.sms.after)
            self.replies.append((at, text.pk, text.address, script.sms.text))
