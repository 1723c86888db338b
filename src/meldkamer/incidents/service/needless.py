"""Needless incidents: counted, warned of, and the task that must be done before a suspension.

Why: see `rules.needless`. A false alarm is counted wherever it is closed, in trial too: S12.2 names
no exception, and what happens in trial is what it is there to show. Never: suspend before the
customer was told by phone and in writing; both are recorded first.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from meldkamer.contracts import interruptions, needless, tasks
from meldkamer.contracts.needless import Tally
from meldkamer.incidents import notices
from meldkamer.rules import needless as rules
from meldkamer.rules.acts import Mail

if TYPE_CHECKING:
    from meldkamer.incidents.deciding.carry_out import Docket
    from meldkamer.sites.models import Site
    from meldkamer.terms.model import Terms

_CLAUSE = "S12.2"


def count(docket: Docket) -> None:
    """The incident was closed as a false alarm: count it, and do what follows from the count."""
    incident, terms = docket.opened, docket.site_facts.terms
    if docket.site.house:  # nobody to warn but ourselves
        return
    tally = needless.count(docket.site, incident.pk, incident.type, terms, docket.now)
    limits = {"warn_at": terms.needless.warn_at, "suspend_at": terms.needless.suspend_at}
    window = {"count": tally.count, "window_days": terms.needless.window_days}
    docket.say("needless.counted", _CLAUSE, data={**window, **limits})
    warned = tally.warned_at is not None
    follows = rules.follows(tally.count, terms.needless, warned=warned)
    if follows == "warn":
        docket.say("needless.warned", _CLAUSE, data=window)
        write(docket, "needless_warning", {"count": tally.count})
        needless.note_warning(incident.pk)
    elif follows == "suspend":
        _propose(docket, tally)


def write(docket: Docket, template: str, data: dict[str, object]) -> str:
    """To the customer in writing: by mail, by letter when he has no address; returns which."""
    way = "mail" if docket.site.customer.email else "letter"
    docket.carry_out([Mail("customer", template, _CLAUSE, data)])
    return way


def _propose(docket: Docket, tally: Tally) -> None:
    """May suspend: a task for the operators or for the office, as the terms choose."""
    site, terms, now = docket.site, docket.site_facts.terms, docket.now
    if interruptions.is_suspended(site):
        return
    if not tally.types:
        # nothing of it may be suspended: somebody has to talk to the customer all the same
        notice(site, "needless", now)
        return
    task = propose(site, terms, now, owner=terms.needless.proposed_to, count=tally.count)
    if task:
        notice(site, "suspension", now)


def propose(site: Site, terms: Terms, now: datetime, *, owner: str, count: int) -> bool:
    """Put the call to the customer on somebody's list; False when it is there already."""
    found = tasks.open_task(
        site,
        tasks.SUSPENSION_CALL,
        _CLAUSE,
        owner,
        terms.needless.call_due_s,
        {"count": count},
        now,
    )
    return found is not None


def notice(site: Site, kind: str, now: datetime) -> None:
    """A line on the supervisor's list."""
    notices.add(kind, _CLAUSE, site.name, now, site=site)


def review_due(interruption_id: int, terms: Terms, now: datetime) -> None:
    """The review date of a suspension: told to the supervisor, nothing resumes by itself."""
    row = interruptions.review(interruption_id, terms, now)
    if row is not None:
        notice(row.site, "review", now)
