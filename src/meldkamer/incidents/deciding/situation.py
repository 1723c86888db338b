"""How the sites of several signals stand at this moment: read at once, under their locks.

Why: a signal is judged by its site's sheet, its open incidents and what came shortly before; for
many signals that is five statements, not five each. Never: lock, write, or be kept beyond the
transaction that holds the locks.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from meldkamer.incidents.deciding import facts as reading
from meldkamer.incidents.models import Incident
from meldkamer.rules.facts import IncidentFacts, Past, SignalFacts, SiteFacts
from meldkamer.sites.models import Site


@dataclass(frozen=True, slots=True)
class Situation:
    """A locked site with what the rules ask of it; the open incidents are the oldest first."""

    site: Site
    facts: SiteFacts
    incidents: list[Incident]
    histories: dict[int, list[Past]]
    recent: tuple[SignalFacts, ...]

    def facts_at(self, signal: SignalFacts, *, in_outage: bool) -> SiteFacts:
        """The site as this signal meets it.

        A test whose time was over when it came does not hold it, however late we are (S20.1).
        """
        tests = tuple(test for test in self.facts.tests if test.runs_at(signal.at))
        if tests == self.facts.tests and not in_outage:
            return self.facts
        return replace(self.facts, tests=tests, in_outage=in_outage)

    def incidents_at(self, now: datetime, facts: SiteFacts) -> list[IncidentFacts]:
        """The open incidents as the rules see them."""
        return [
            reading.incident_facts(incident, now, facts, self.histories[incident.pk])
            for incident in self.incidents
        ]


def situations(sites: Collection[Site], now: datetime) -> dict[int, Situation]:
    """The situation of each of these locked sites, by its number."""
    if not sites:
        return {}
    facts = reading.facts_of(sites, now)
    by_site = {site.pk: site for site in sites}
    incidents: dict[int, list[Incident]] = {number: [] for number in facts}
    rows = Incident.objects.filter(site_id__in=list(facts), closed_at=None)
    for incident in rows.order_by("opened_at", "id"):
        incident.site = by_site[incident.site_id]
        incidents[incident.site_id].append(incident)
    histories = reading.histories([one.pk for found in incidents.values() for one in found])
    recent = reading.recent_signals_of(facts, now)
    return {
        number: Situation(
            by_site[number], facts[number], incidents[number], histories, recent[number]
        )
        for number in facts
    }
