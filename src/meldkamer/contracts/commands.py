"""The only writer of tests, trials, the force of a contract and counted handlings.

Each command writes the state, its journal entry and the agenda row of its end in the caller's
transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Max

from meldkamer.agenda import commands as agenda
from meldkamer.contracts.models import Document, FalseAlarmForetold, Handling, TestMode
from meldkamer.journal import commands as journal
from meldkamer.sites.faults import Fault, Refused
from meldkamer.sites.models import Site
from meldkamer.terms.model import Terms

END_TEST, END_TRIAL, START_FORCE = "test.end", "trial.end", "force.start"


def start_test(
    site: Site,
    until: datetime,
    now: datetime,
    *,
    by: str,
    clause: str = "S20.1",
    reason: str = "",
    in_writing: bool = False,
    document: Document | None = None,
    areas: Iterable[str] = (),
    zones: Iterable[str] = (),
    types: Iterable[str] = (),
    actor: str = journal.SYSTEM,
) -> TestMode:
    """Nothing is reacted to until then (S20.1); its end stands on the agenda at once.

    in_writing: may be longer than by phone, and then rests on a document.
    """
    if in_writing and document is None:
        fault = Fault("document", "document_missing", "no document; expected the request", "S20.1")
        raise Refused([fault])
    test = TestMode.objects.create(
        site=site,
        areas=list(areas),
        zones=list(zones),
        types=list(types),
        reason=reason,
        asked_by=by,
        in_writing=in_writing,
        document=document,
        started_at=now,
        until=until,
    )
    agenda.schedule(END_TEST, f"test:{test.pk}", until, now, rank=0, payload={"test": test.pk})
    journal.write(
        "test.started",
        now,
        provider_id=site.provider_id,
        site_id=site.pk,
        clause=clause,
        reason=reason,
        to=by,
        actor=actor,
        data={
            "until": until.isoformat(),
            "zones": test.zones,
            "areas": test.areas,
            "types": test.types,
        },
    )
    journal.announce(f"site:{site.pk}")
    return test


def phone_test_until(
    site: Site, asked_s: int | None, terms: Terms, now: datetime
) -> tuple[datetime, bool]:
    """Until when a test asked for by phone may run, and whether that is less than asked (S20.1).

    At most `phone_max_s` in a row, however often one calls: tests by phone with less than
    `phone_gap_s` between them are one row.
    """
    rules = terms.test_mode
    latest = now + timedelta(seconds=rules.phone_max_s) - _tested_in_a_row(site, terms, now)
    asked = rules.phone_max_s if asked_s is None else asked_s
    wanted = now + timedelta(seconds=asked)
    return min(wanted, latest), asked_s is not None and wanted > latest


def _tested_in_a_row(site: Site, terms: Terms, now: datetime) -> timedelta:
    """How long the site has been in test by phone without a break worth the name (S20.1)."""
    gap = timedelta(seconds=terms.test_mode.phone_gap_s)
    tests = TestMode.objects.filter(site=site, in_writing=False).order_by("-started_at")[:200]
    spans = [
        (ended or now, started) for started, ended in tests.values_list("started_at", "ended_at")
    ]
    row_begins, tested = now, timedelta()
    for ended, started in sorted(spans, reverse=True):
        end = min(ended, row_begins)
        if row_begins - end >= gap:
            break
        tested += max(end - started, timedelta())
        row_begins = min(row_begins, started)
    return tested


def finish_test(
    test: TestMode,
    now: datetime,
    summary: dict[str, Any],
    *,
    by: str = "",
    actor: str = journal.SYSTEM,
) -> None:
    """The test is over, by request or by itself; written with the summary of what came in it."""
    test.ended_at, test.ended_by, test.summary = now, by, summary
    test.save(update_fields=["ended_at", "ended_by", "summary"])
    agenda.strike(END_TEST, f"test:{test.pk}", now)
    journal.write(
        "test.ended",
        now,
        provider_id=test.site.provider_id,
        site_id=test.site_id,
        clause="S20.1",
        reason="asked" if by else "time is over",
        to=by,
        actor=actor,
        data={"started_at": test.started_at.isoformat(), "test": test.pk, **summary},
    )
    journal.announce(f"site:{test.site_id}")


def foretell(site: Site, by: str, from_premises: bool, until: datetime, now: datetime) -> None:
    """Remember that an identified caller said "false alarm" before the signal came (S12.1)."""
    FalseAlarmForetold.objects.create(
        site=site, by=by, from_premises=from_premises, at=now, until=until
    )
    journal.write(
        "false_alarm.foretold",
        now,
        provider_id=site.provider_id,
        site_id=site.pk,
        clause="S12.1",
        to=by,
        data={"until": until.isoformat()},
    )


def end_trial(site: Site, now: datetime) -> None:
    """The trial is over: told (S4.3)."""
    journal.write("trial.ended", now, provider_id=site.provider_id, site_id=site.pk, clause="S4.3")
    journal.announce(f"site:{site.pk}")


def activate(site: Site, terms: Terms, activated_at: datetime, now: datetime) -> None:
    """Note the activation, and put the trial's end on the agenda (S4.3)."""
    site.activated_at = activated_at
    site.save(update_fields=["activated_at"])
    until = trial_until(site, terms)
    if until is not None and until > now:
        agenda.schedule(END_TRIAL, f"site:{site.pk}", until, now, rank=0, payload={"site": site.pk})


def trial_until(site: Site, terms: Terms) -> datetime | None:
    """When the trial ends: n × 24 h from activation (S4.3); None without one."""
    if site.activated_at is None or not terms.trial.days:
        return None
    return site.activated_at + timedelta(days=terms.trial.days)


def put_in_force(site: Site, at: datetime, now: datetime) -> None:
    """The contract is in force from then (S4.2, D903.1); its line is written when it comes."""
    agenda.schedule(START_FORCE, f"site:{site.pk}", at, now, rank=0, payload={"site": site.pk})


def start_force(site: Site, clause: str, now: datetime) -> None:
    """In force from now."""
    site.in_force_from = now
    site.save(update_fields=["in_force_from"])
    journal.write(
        "service.in_force", now, provider_id=site.provider_id, site_id=site.pk, clause=clause
    )
    journal.announce(f"site:{site.pk}")


def period_start(site: Site, terms: Terms, now: datetime) -> date:
    """The first day of the quota's period that holds `now`, at the site (S13.1, D904.3)."""
    zone = ZoneInfo(site.timezone)
    today = now.astimezone(zone).date()
    if terms.plans[site.plan].period == "calendar_quarter":
        return date(today.year, 3 * ((today.month - 1) // 3) + 1, 1)
    began = site.contract_start or (site.activated_at or site.created_at).astimezone(zone).date()
    year = today.year if (today.month, today.day) >= (began.month, began.day) else today.year - 1
    return _anniversary(began, year)


def _anniversary(began: date, year: int) -> date:
    try:
        return began.replace(year=year)
    except ValueError:  # 29 February
        return date(year, 2, 28)


def count_handling(
    site: Site, incident_id: int, incident_type: str, terms: Terms, now: datetime
) -> Handling | None:
    """Count an incident in which an operator made or took a call (M8.1, S13.1, D904.3).

    None when the plan does not count the type, or when it is the provider's own house. The
    unique row keeps it to once.
    """
    plan = terms.plans[site.plan]
    if site.house:  # the provider's own
        return None
    if plan.counted_types and incident_type not in plan.counted_types:
        return None
    start = period_start(site, terms, now)
    before = Handling.objects.filter(site=site, period_start=start, tariff="handling").aggregate(
        most=Max("used")
    )["most"]
    used = (before or 0) + 1
    included = plan.included[site.formula]
    return Handling.objects.create(
        site=site,
        incident_id=incident_id,
        period_start=start,
        counted_at=now,
        used=used,
        included=included,
        billable=used > included,
    )
