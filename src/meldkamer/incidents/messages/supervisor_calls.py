"""A call to the supervisor on duty about an incident that nobody takes (M12.2).

It comes beside the supervisors' list and the incident's climbing, never instead of them. Who is
called is decided by `rules.reminding`; what is here are the facts and the message.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from meldkamer.incidents.deciding import gathering
from meldkamer.incidents.deciding.carry_out import Docket, message_facts, of_incident
from meldkamer.incidents.models import Incident
from meldkamer.notify import commands as notify
from meldkamer.notify.models import OutboxMessage
from meldkamer.notify.outbox import REMINDER
from meldkamer.people.queries import supervisors_on_duty
from meldkamer.rules import reminding
from meldkamer.rules.reminding import Reminders

CALLED, KNOWS = "supervisor.called", "supervisor.knows"


def remind(docket: Docket, now: datetime, *, first: bool) -> None:
    """Call whom the rules say, if the terms have anybody called. first: not told before."""
    terms = docket.site_facts.terms
    if terms.announcing.supervisor == "never":
        return
    gathering.put_down()  # what was decided with it counts, and is read below
    people = {person.pk: person for person in supervisors_on_duty(docket.site.provider_id)}
    past = _past(docket, [person.phone for person in people.values()], now)
    chosen = reminding.whom(list(people), past, terms, now, first=first)
    if chosen is None:
        return
    person = people[chosen]
    waiting = Incident.objects.filter(
        provider_id=docket.site.provider_id, state=Incident.State.QUEUED
    ).count()
    message = notify.send(
        "voice",
        REMINDER,
        address=person.phone,
        recipient=person.get_username(),
        language=person.language,
        clause="M12.2",
        now=now,
        facts={**message_facts(docket), "count": waiting},
        site_id=docket.site.pk,
        **of_incident(docket),
    )
    data = {"staff": person.pk, "message": message.pk}
    docket.say(CALLED, "M12.2", to=person.get_username(), data=data)


def _past(docket: Docket, phones: Collection[str], now: datetime) -> Reminders:
    history = docket.facts().history
    known = [past.at for past in history if past.what == KNOWS]
    lasts = timedelta(seconds=docket.site_facts.terms.announcing.wait_s)
    # a call has an end, told or not: after that it keeps nobody from being called
    going_on = OutboxMessage.objects.filter(
        address__in=phones,
        created_at__gt=now - lasts,
        template=REMINDER,
        acknowledged_at=None,
    ).exclude(state__in=(OutboxMessage.State.FAILED, OutboxMessage.State.CANCELLED))
    return Reminders(
        tuple(int(past.data["staff"]) for past in history if past.what == CALLED),
        max(known, default=None),
        going_on.exists(),
    )
