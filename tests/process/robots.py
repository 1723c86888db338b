"""`python -m tests.process.robots SEED`: an operator, and the people he calls, in one process.

He takes what is first, follows the offered steps by the console's own commands, and sometimes walks
away. People answer texts, and call the centre for a test or a false alarm. A refusal is part of the
work and a database that is away is waited for; any other fault is said as FAULT, and a deadlock as
DEADLOCK: the test looks for both words.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path

from meldkamer.project.childhood import follow_parent, say_ready
from meldkamer.project.commands._owner import with_django
from meldkamer.terms import loader

_PACE_S = 0.05


class Robot:
    """One operator at work."""

    def __init__(self, seed: int) -> None:
        from meldkamer.people.models import Staff

        self.chance = random.Random(seed)
        self.staff = Staff.objects.order_by("pk")[seed % 2]
        self.stopping = False

    def run(self) -> None:
        """Until SIGTERM."""
        from django.db import connections

        from meldkamer.agenda.faults import is_passing
        from meldkamer.incidents.faults import Refused

        while not self.stopping:
            try:
                self.answer()
                self.work()
                if self.chance.random() < 0.05:
                    self.call_in()
            except Refused:
                pass
            except Exception as fault:  # noqa: BLE001 - the test reads what is said
                if "deadlock" in str(fault):
                    print("DEADLOCK", traceback.format_exc(), flush=True)
                if not is_passing(fault):
                    print("FAULT", traceback.format_exc(), flush=True)
                connections.close_all()
            time.sleep(_PACE_S)

    def work(self) -> None:
        """Take the first of the queue and work it to its end, unless he walks away."""
        from meldkamer.incidents import commands

        incident = commands.take_next(self.staff, _now())
        if incident is None:
            return
        for _ in range(20):
            time.sleep(_PACE_S)
            if self.chance.random() < 0.03:
                return
            if commands.close_as_proposed(self.staff, incident.pk, _now()):
                return
            if not self.step(incident.pk):
                return

    def step(self, incident_id: int) -> bool:
        """One step of the procedure; False when none is left to do."""
        from meldkamer.incidents import commands
        from meldkamer.incidents.deciding.facts import incident_facts
        from meldkamer.incidents.models import Incident
        from meldkamer.rules import procedures

        incident = Incident.objects.select_related("site__provider").get(pk=incident_id)
        step = procedures.current(incident_facts(incident, _now()), _now())
        if step is None:
            return False
        if step.do == "request":
            commands.request_service(self.staff, incident_id, step.service, _now())
        elif step.do == "patrol":
            commands.send_patrol(self.staff, incident_id, _now())
        else:
            commands.dial(self.staff, incident_id, step.id, _now())
            result = self.chance.choice(("reached", "no_answer", "no_answer", "voicemail"))
            says = self.chance.choice(("real", "coming", "false_alarm", "send_patrol", "nothing"))
            identity = self.chance.choice(("right", "right", "right", "wrong"))
            commands.call_result(
                self.staff, incident_id, step.id, result, says, _now(), identity=identity
            )
        return True

    def answer(self) -> None:
        """Somebody answers a text that he got; a carrier may bring the same reply twice."""
        from meldkamer.notify import inbox
        from meldkamer.notify.models import InboundMessage, OutboxMessage

        known = InboundMessage.objects.values_list("carrier_ref", flat=True)
        texts = OutboxMessage.objects.filter(
            channel="sms", state="handed_over", created_at__gte=_now() - timedelta(seconds=15)
        ).order_by("?")[:4]
        for text in texts:
            if f"r{text.pk}" not in set(known) and self.chance.random() < 0.7:
                words = self.chance.choice(("ok", " OK ", "wat?", ""))
                for _ in range(2):
                    inbox.store_inside(text.address, words, _now(), f"r{text.pk}")

    def call_in(self) -> None:
        """Somebody calls the centre."""
        from meldkamer.incidents.telephone import incoming
        from meldkamer.sites.models import Site

        site = Site.objects.order_by("?").first()
        assert site is not None
        says = self.chance.choice(("start_test", "false_alarm", "end_test", "help"))
        incoming.someone_calls(
            None, site.pk, f"c{site.contacts.all()[0].pk}", "", says, _now(),
            duration_s=self.chance.randint(1, 3), identity="right",
        )  # fmt: skip


def _now() -> datetime:
    return datetime.now(UTC)


def main() -> int:
    """Work until told to stop."""
    follow_parent()
    loader.DIRECTORY = Path(os.environ["MELDKAMER_TEST_TERMS"])
    with_django()
    robot = Robot(int(sys.argv[1]))

    def stop(_signal: int, _frame: object) -> None:
        robot.stopping = True

    signal.signal(signal.SIGTERM, stop)
    say_ready()
    robot.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
