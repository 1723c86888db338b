"""The installer's daily report (S10.3), and the daily list of undefined codes (S10.5).

A line is written with what it tells of, in the same transaction, and marked in that of the mail: a
crash sends no report twice and forgets nothing. With nothing to tell no mail goes.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Q
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import override

from meldkamer.agenda import commands as agenda
from meldkamer.agenda.models import AgendaRow
from meldkamer.journal import commands as journal
from meldkamer.notify import commands as notify
from meldkamer.sites.models import Installer, Provider, Site
from meldkamer.terms.loader import load
from meldkamer.watch.expectations import early
from meldkamer.watch.models import LineTestWatch, ReportLine

REPORTS_DUE, REPORT = "reports.daily", "report.installer"
_LONGEST_CODE = 24
_NOTE = """
INSERT INTO watch_reportline AS line
    (site_id, provider_id, kind, code, count, first_at, last_at, reported_at)
VALUES (%s, %s, %s, %s, 1, %s, %s, NULL)
ON CONFLICT (site_id, kind, code) WHERE reported_at IS NULL
DO UPDATE SET count = line.count + 1, last_at = excluded.last_at
"""


def note(site: Site, kind: str, code: str, now: datetime) -> None:
    """Something for tomorrow's report of the site's installer; counted when it comes again."""
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, [site.pk, site.provider_id, kind, code[:_LONGEST_CODE], now, now])


def next_report(provider: Provider, now: datetime) -> datetime | None:
    """When a provider's reports go next; None when its terms have none."""
    terms = load(provider.terms)
    if not terms.line_test.report_at:
        return None
    zone = ZoneInfo(terms.timezone)
    today = now.astimezone(zone).date()
    clock = time.fromisoformat(terms.line_test.report_at)
    moments = (early(today + timedelta(days=days), clock, zone) for days in (0, 1))
    return next(moment for moment in moments if moment > now)


def begin(now: datetime) -> None:
    """Each provider's reports stand on the agenda; those that do already stay where they are."""
    rows = AgendaRow.objects.filter(kind=REPORTS_DUE, done_at=None)
    there = set(rows.values_list("subject", flat=True))
    for provider in Provider.objects.order_by("pk"):
        if f"provider:{provider.pk}" not in there:
            _schedule(provider, now)


def _schedule(provider: Provider, now: datetime) -> None:
    due = next_report(provider, now)
    if due is not None:
        payload = {"provider": provider.pk}
        agenda.schedule(REPORTS_DUE, f"provider:{provider.pk}", due, now, payload=payload)


def reports_due(provider_id: int, now: datetime) -> None:
    """Time for a provider's reports: one thing to do for each installer that has something."""
    provider = Provider.objects.get(pk=provider_id)
    _schedule(provider, now)
    lines = ReportLine.objects.filter(provider=provider, reported_at=None)
    ids = lines.values_list("site__installer_id", flat=True).distinct()
    for installer_id in sorted(set(ids), key=lambda found: found or 0):
        payload = {"provider": provider.pk, "installer": installer_id}
        subject = f"provider:{provider.pk}:{installer_id or 'office'}"
        agenda.schedule(REPORT, subject, now, now, payload=payload)


def report(provider_id: int, installer_id: int | None, now: datetime) -> None:
    """One mail with all there is of an installer's sites; without one the office gets it."""
    lines = list(
        ReportLine.objects.select_for_update(of=("self",))
        .filter(provider_id=provider_id, reported_at=None)
        .filter(_sites_of(installer_id))
        .select_related("site")
        .order_by("site__name", "site_id", "kind", "code")
    )
    if not lines:
        return
    provider = Provider.objects.get(pk=provider_id)
    # an installer without an address is the office's to tell
    installer = Installer.objects.filter(pk=installer_id or 0).exclude(email="").first()
    language = installer.language if installer else load(provider.terms).languages[0]
    zone = ZoneInfo(load(provider.terms).timezone)
    message = notify.send(
        "mail",
        "daily_report",
        address=installer.email if installer else provider.office_email,
        recipient=installer.name if installer else "office",
        language=language,
        clause="S10.3",
        now=now,
        provider_id=provider_id,
        facts={
            "provider": provider.name,
            "day": _day(now, zone, language),
            "lines": _body(lines, zone, language),
        },
    )
    ReportLine.objects.filter(pk__in=[line.pk for line in lines]).update(reported_at=now)
    journal.write(
        "report.sent",
        now,
        provider_id=provider_id,
        clause="S10.3",
        to=installer.name if installer else "office",
        data={"period": "daily", "lines": len(lines), "message": message.pk},
    )


def _sites_of(installer_id: int | None) -> Q:
    if installer_id is None:
        return Q(site__installer__isnull=True)
    return Q(site__installer_id=installer_id)


def _day(now: datetime, zone: ZoneInfo, language: str) -> str:
    with override(language):
        return date_format(localtime(now, zone), "DATE_FORMAT")


def _body(lines: Iterable[ReportLine], zone: ZoneInfo, language: str) -> str:
    """The report's lines by site, in the reader's language."""
    lines = list(lines)
    silent = set(
        LineTestWatch.objects.filter(
            site_id__in=[line.site_id for line in lines], unsupervised_since__isnull=False
        ).values_list("site_id", "transmitter__account")
    )
    with override(language):
        found = []
        for line in lines:
            moment = date_format(localtime(line.last_at, zone), "SHORT_DATETIME_FORMAT")
            if line.kind == ReportLine.Kind.LINE_TEST:
                words = _(
                    "%(site)s, transmitter %(code)s: %(count)s test messages missed, last %(at)s"
                )
                if (line.site_id, line.code) in silent:
                    words += "; " + _("NOT SUPERVISED any more")
            else:
                words = _("%(site)s: unknown code %(code)s came %(count)s times, last %(at)s")
            values = {
                "site": line.site.name, "code": line.code, "count": line.count, "at": moment
            }  # fmt: skip
            found.append("- " + words % values)
    return "\n".join(found)
