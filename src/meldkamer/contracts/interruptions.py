"""The only writer of interruptions: suspended, interrupted for a cause, held back in a flood.

Each start and end is written with its cause, who did it and why. Never: suspend before the
customer was told by phone and in writing, or resume without evidence (S12.2); interrupt a consumer
for non-payment by itself, or anybody before the notice has run (D908.1). Nothing is refunded for
the time (D908.2), which is written down when it ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from meldkamer.agenda import commands as agenda
from meldkamer.contracts.models import Document, Interruption
from meldkamer.journal import commands as journal
from meldkamer.rules.needless import suspended_types
from meldkamer.sites.faults import Fault, Refused
from meldkamer.sites.models import Customer, Site
from meldkamer.terms.model import Terms

REVIEW = "suspension.review"
Kind = Interruption.Kind
CAUSES = (Kind.BROKEN, Kind.OUT_OF_SERVICE, Kind.UNPAID)
WAYS_OF_NOTICE = ("registered", "letter", "email")


def suspend(
    site: Site,
    types: Sequence[str],
    told: Mapping[str, Any],
    terms: Terms,
    now: datetime,
    *,
    reason: str,
    actor: str,
) -> Interruption:
    """Suspend types after needless alarms; told by "phone" and in "writing" before (S12.2)."""
    missing = [way for way in ("phone", "writing") if not told.get(way)]
    if missing:
        words = f"the customer was not told: {', '.join(missing)}"
        raise _refused("told", "not_told", words, "S12.2")
    kept = suspended_types(types, terms.needless)
    if not kept:
        raise _refused("types", "nothing_to_suspend", "no type that may be suspended", "S12.2")
    review_at = now + timedelta(days=terms.needless.review_days)
    row = _start(
        site, Kind.SUSPENDED, "S12.2", reason, now, actor,
        types=list(kept), notice=dict(told), review_at=review_at,
    )  # fmt: skip
    _schedule_review(row, now)
    return row


def is_suspended(site: Site) -> bool:
    """Whether a suspension after needless alarms runs; there is one at most."""
    return Interruption.objects.filter(site=site, kind=Kind.SUSPENDED, ended_at=None).exists()


def interrupt(
    site: Site,
    cause: str,
    reason: str,
    terms: Terms,
    now: datetime,
    *,
    actor: str,
    notice_at: datetime | None = None,
    notice_way: str = "",
    document: Document | None = None,
) -> Interruption:
    """Monitoring stops for a cause until `resume` (D908.1); unpaid only after the notice has run.

    actor: journal.SYSTEM is nobody: it may not interrupt a consumer for non-payment.
    """
    if cause not in CAUSES:
        expected = ", ".join(CAUSES)
        raise _refused("cause", "choice", "unknown cause", "D908.1", found=cause, expected=expected)
    if not reason.strip():
        raise _refused("reason", "missing", "an interruption has a reason", "D908.1")
    if Interruption.objects.filter(site=site, kind=cause, ended_at=None).exists():
        raise _refused("cause", "interrupted_already", "interrupted already", "D908.1")
    notice = {}
    if cause == Kind.UNPAID:
        notice = _notice(site, terms, now, actor, notice_at, notice_way)
    return _start(
        site, Kind(cause), "D908.1", reason, now, actor,
        notice=notice, notice_document=document,
    )  # fmt: skip


def _notice(
    site: Site,
    terms: Terms,
    now: datetime,
    actor: str,
    notice_at: datetime | None,
    notice_way: str,
) -> dict[str, Any]:
    if actor == journal.SYSTEM and site.customer.kind == Customer.Kind.CONSUMER:
        reason = "never by itself for a consumer"
        raise _refused("cause", "never_automatic", reason, "D908.1")
    days = terms.interruption.unpaid_notice_days
    if notice_way not in WAYS_OF_NOTICE:
        reason = f"no notice; expected one sent by {', '.join(WAYS_OF_NOTICE)}"
        raise _refused("notice_way", "notice_missing", reason, "D908.1")
    if notice_at is None or notice_at + timedelta(days=days) > now:
        reason = f"the notice has not run; expected one of {days} days ago or more"
        raise _refused("notice_at", "notice_runs", reason, "D908.1", days=days)
    return {"writing": {"way": notice_way, "at": notice_at.isoformat()}}


def _start(
    site: Site, kind: Kind, clause: str, reason: str, now: datetime, actor: str, **more: Any
) -> Interruption:
    row = Interruption.objects.create(
        site=site, kind=kind, clause=clause, reason=reason,
        started_by=actor, started_at=now, **more,
    )  # fmt: skip
    data: dict[str, Any] = {"cause": str(kind), "types": row.types, "interruption": row.pk}
    if row.review_at is not None:
        data["review"] = row.review_at.date().isoformat()
    if row.notice:
        data["told"] = row.notice
    _write("service.suspended", row, clause, reason, now, actor, data)
    return row


def resume(
    row: Interruption,
    reason: str,
    now: datetime,
    *,
    actor: str,
    document: Document | None = None,
) -> None:
    """Monitoring goes on. After needless alarms only on evidence: words and a paper (S12.2)."""
    if row.ended_at is not None:
        raise _refused("reason", "resumed_already", "resumed already", row.clause)
    if not reason.strip():
        raise _refused("reason", "missing", "a resumption has a reason", row.clause)
    if row.kind == Kind.SUSPENDED and document is None:
        raise _refused("document", "evidence_missing", "no evidence recorded", "S12.2")
    row.ended_at, row.ended_by, row.end_reason, row.end_document = now, actor, reason, document
    row.save(update_fields=["ended_at", "ended_by", "end_reason", "end_document"])
    agenda.strike(REVIEW, _subject(row), now)
    data: dict[str, Any] = {"cause": row.kind, "types": row.types, "interruption": row.pk}
    if document is not None:
        data["document"] = document.pk
    _write("service.resumed", row, row.clause, reason, now, actor, data)
    since = {"cause": row.kind, "since": row.started_at.isoformat(), "refund": "none"}
    _write("interruption.not_refunded", row, "D908.2", "", now, actor, since)


def review(row_id: int, terms: Terms, now: datetime) -> Interruption | None:
    """The review date is there: written, and the next one set; it resumes nothing by itself."""
    row = Interruption.objects.select_related("site").filter(pk=row_id, ended_at=None).first()
    if row is None:
        return None
    _write("suspension.review_due", row, "S12.2", "", now, journal.SYSTEM, {"types": row.types})
    row.review_at = now + timedelta(days=terms.needless.review_days)
    row.save(update_fields=["review_at"])
    _schedule_review(row, now)
    return row


def _schedule_review(row: Interruption, now: datetime) -> None:
    if row.review_at is not None:
        payload = {"interruption": row.pk, "site": row.site_id}
        agenda.schedule(REVIEW, _subject(row), row.review_at, now, payload=payload)


def _subject(row: Interruption) -> str:
    return f"interruption:{row.pk}"


def _write(
    what: str,
    row: Interruption,
    clause: str,
    reason: str,
    now: datetime,
    actor: str,
    data: dict[str, Any],
) -> None:
    journal.write(
        what, now, provider_id=row.site.provider_id, site_id=row.site_id,
        clause=clause, reason=reason, actor=actor, data=data,
    )  # fmt: skip
    journal.announce(f"site:{row.site_id}")


def _refused(field: str, code: str, reason: str, clause: str, **numbers: object) -> Refused:
    return Refused([Fault(field, code, reason, clause, numbers)])
