"""Plays one story: the virtual clock, and within an instant the order of R1.

Only clock, people and carriers are replaced. Everything else is the production code, on real
tables, inside one transaction that is rolled back when the story is over.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction

from meldkamer.agenda import commands as agenda
from meldkamer.agenda.models import AgendaRow
from meldkamer.contracts.models import TestMode
from meldkamer.engine import cycle
from meldkamer.engine.acts import ACTS
from meldkamer.incidents.models import Incident
from meldkamer.incidents.service import customer_calls
from meldkamer.notify.commands import Inside
from meldkamer.notify.models import OutboxMessage
from meldkamer.rehearsal import changing, happenings, operators
from meldkamer.rehearsal.carriers import Carriers
from meldkamer.rehearsal.crashes import CommitPoints, Killed
from meldkamer.rehearsal.operators import Operator
from meldkamer.rehearsal.story import EventPart, span
from meldkamer.rehearsal.world import World

_LONGEST_DAYS = 7


class House:
    """What the working process does in a rehearsal: one thing at a time, in the order of R1."""

    def act(self, ranks: tuple[int, ...], now: datetime) -> bool:
        """Act on one row that is due; False when there is none."""
        for row_id in agenda.due_rows(now, ranks=ranks, limit=1):
            agenda.act_on(row_id, ACTS, now)
            return True
        return False

    def follow(self, carriers: dict[str, Inside], now: datetime) -> None:
        """What follows at once: signals and replies, then messages to their carriers."""
        while cycle.judge_all(now) or cycle.consume_all(now):
            pass
        cycle.hand_over(carriers, now)

    def restart(self, now: datetime) -> None:
        """It was killed: what it only had in mind is gone, what it must do is in the tables."""
        AgendaRow.objects.filter(done_at=None, due__lte=now).update(attempts=0)


class Player:
    """A story being played."""

    def __init__(
        self,
        world: World,
        house: House | None = None,
        watch: Callable[[datetime], object] | None = None,
    ) -> None:
        """watch: called after each instant, with its time."""
        self.world = world
        self.house = house or House()
        self.watch = watch
        self.now = world.story.start
        self.operators = [Operator(s, world.story.pace) for s in world.operators]
        # a stable order at one instant: as in the file
        self.events = sorted(world.story.events, key=lambda event: event[0])
        self.replies: list[tuple[datetime, int, str, str]] = []
        self.answered: set[tuple[int, int]] = set()
        self.answered_to = 0
        self.carriers = Carriers(world.story)
        self.commits = CommitPoints(world.story.parts.crash_at_commits)
        # whether something happened whose consequences were not looked at yet
        self.stirred = True

    def play(self) -> datetime:
        """Play to the end; returns the instant of the end."""
        with self.commits.counted():
            self._instant()
            while True:
                at = self._next()
                if at is None or self._over(at):
                    break
                self.now = max(at, self.now)
                self._instant()
        return self._end()

    def _end(self) -> datetime:
        until = self.world.story.until
        if until is None:
            return self.now if self._settled() else self._latest()
        return max(until, self.now)

    def _latest(self) -> datetime:
        """R28: a story without `until` is not waited for any longer."""
        story = self.world.story
        last = max((event[0] for event in story.events), default=story.start)
        return max(last, story.start) + timedelta(days=_LONGEST_DAYS)

    def _next(self) -> datetime | None:
        times = [at for at, _, _ in self.events[:1]]
        times += [at for at, _, _, _ in self.replies]
        times += [op.until for op in self.operators if op.until is not None]
        due = agenda.next_due()
        if due is not None:
            times.append(due)
        if self.world.story.parts.carrier and self._unsent():
            times += self.carriers.back_again(self.now)
        return min(times, default=None)

    def _over(self, at: datetime) -> bool:
        story = self.world.story
        if story.until is not None:
            return at > story.until
        if at > self._latest():
            return True
        return not self.events and self._settled()

    def _settled(self) -> bool:
        """R28: no incident is open and no test runs; a call that an operator is about to make
        for the customer (S12.2) belongs to what led to it.
        """
        if any(customer_calls.ready_for(op.staff, self.now) for op in self.operators[:1]):
            return False
        return (
            not Incident.objects.filter(closed_at=None).exists()
            and not TestMode.objects.filter(ended_at=None).exists()
        )

    def _unsent(self) -> bool:
        return OutboxMessage.objects.filter(state=OutboxMessage.State.PENDING).exists()

    def _instant(self) -> None:
        """Everything of one instant, in the order of R1, until nothing of it is left."""
        self.stirred = self.stirred or bool(self.world.story.parts.carrier)
        while self._one_round():
            pass
        if self.watch is not None:
            self.watch(self.now)

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
        try:
            if self.stirred:
                self._follow()
            return any(phase() for phase in phases)
        except Killed:
            self._crash()
            return True

    def _ends(self) -> bool:
        return self._act((0,))

    def _due(self) -> bool:
        return self._act((1,))

    def _act(self, ranks: tuple[int, ...]) -> bool:
        self.stirred = self.house.act(ranks, self.now)
        changing.follow(self.world, self.now)
        return self.stirred

    def _event(self) -> bool:
        if not self.events or self.events[0][0] > self.now:
            return False
        _, event, kind = self.events[0]
        self._play(event, kind)
        # after it was played: who was killed over it is asked again
        self.events.pop(0)
        changing.follow(self.world, self.now)
        self.stirred = True
        return True

    def _play(self, event: EventPart, kind: str) -> None:
        if kind == "crash":
            self._crash()
        else:
            answered = len(self.world.acknowledged)
            try:
                with transaction.atomic():
                    happenings.PLAYED[kind](self.world, event, self.now)
            except Killed:
                # killed before the commit, the receiver never answered
                del self.world.acknowledged[answered:]
                raise

    def _crash(self) -> None:
        """The process that works dies and is started again; whoever waited for it asks again."""
        self.house.restart(self.now)
        for operator in self.operators:
            operators.look_again(operator)
        self.stirred = True

    def _reply(self) -> bool:
        ready = sorted(reply for reply in self.replies if reply[0] <= self.now)
        if not ready:
            return False
        _, text_id, sender, text = ready[0]
        with transaction.atomic():
            happenings.receive_text(sender, text, self.now, carrier_ref=f"reply {text_id}")
        self.replies.remove(ready[0])
        self.stirred = True
        return True

    def _step(self) -> bool:
        ready = [op for op in self.operators if op.until is not None and op.until <= self.now]
        if not ready:
            return False
        first = min(ready, key=lambda op: op.incident or 0)
        operators.finish_step(first, self.world, self.now)
        self.stirred = True
        return True

    def _take(self) -> bool:
        self._look_up()
        for operator in self.operators:
            if operators.take(operator, self.now):
                self.stirred = True
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

    def _follow(self) -> None:
        """What follows at once: signals of the watch, replies, messages to their carriers."""
        self.house.follow(self.carriers.all(), self.now)
        self._note_texts()
        self.stirred = False

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
            after = span(script.sms.after) if script.sms.after else timedelta()
            times = self.carriers.replies(text, after)
            if times:
                self.answered.add(key)
            self.replies += [(at, text.pk, text.address, script.sms.text) for at in times]
