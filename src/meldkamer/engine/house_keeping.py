"""What must stand on the agenda whatever happens: put there when a worker starts, if missing."""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction

from meldkamer.agenda import commands as agenda
from meldkamer.agenda.models import AgendaRow
from meldkamer.engine.audit.recurring import AUDIT, RECURRING
from meldkamer.engine.cycle import HOUSE
from meldkamer.incidents.deciding import carry_out
from meldkamer.incidents.models import Incident
from meldkamer.watch import reporting


def begin(now: datetime) -> None:
    """Recurring rows, and a row for every open incident that lost its own (M12.2)."""
    with transaction.atomic():
        for kind, subject in RECURRING:
            if not AgendaRow.objects.filter(kind=kind, done_at=None).exists():
                rank = HOUSE if kind == AUDIT else 1
                agenda.schedule(kind, subject, now, now, rank=rank)
    reporting.begin(now)
    _mend_incidents(now)


def _mend_incidents(now: datetime) -> None:
    """A database restored from elsewhere may lack agenda rows: no open incident is without one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT i.id FROM incidents_incident i WHERE i.closed_at IS NULL AND NOT EXISTS ("
            " SELECT FROM agenda_agendarow a WHERE a.done_at IS NULL AND a.kind = %s"
            " AND a.subject = 'incident:' || i.id)",
            [carry_out.DUE],
        )
        lost = [row[0] for row in cursor.fetchall()]
    for incident in Incident.objects.filter(pk__in=lost):
        agenda.schedule(
            carry_out.DUE,
            f"incident:{incident.pk}",
            incident.due or now,
            now,
            urgency=incident.priority,
            payload={"incident": incident.pk},
        )
