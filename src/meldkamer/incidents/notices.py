"""What a supervisor must look at and is no incident: the one place that adds a `Notice`.

Never: added without being announced, for a list that nobody is told of is looked at too late.
"""

from __future__ import annotations

from datetime import datetime

from meldkamer.incidents.models import Incident, Notice
from meldkamer.journal import commands as journal
from meldkamer.sites.models import Site


def add(
    kind: str,
    clause: str,
    text: str,
    now: datetime,
    *,
    site: Site | None = None,
    provider_id: int | None = None,
    incident: Incident | None = None,
    signal_id: int | None = None,
) -> None:
    """Put it on the supervisors' list. provider_id: whose it is where no site is meant."""
    Notice.objects.create(
        provider_id=site.provider_id if site else provider_id,
        at=now,
        kind=kind,
        clause=clause,
        text=text,
        site=site,
        incident=incident,
        signal_id=signal_id,
    )
    journal.announce("notices")
