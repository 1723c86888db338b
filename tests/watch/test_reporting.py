"""The installer's daily report: all of his sites, once, whatever dies meanwhile (S10.3, S10.5)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from meldkamer.agenda.models import AgendaRow
from meldkamer.engine import house_keeping
from meldkamer.notify import commands as notify
from meldkamer.notify.models import OutboxMessage
from meldkamer.sites.models import Provider, Site
from meldkamer.watch import commands as watch
from meldkamer.watch import reporting
from meldkamer.watch.models import ReportLine
from tests.incidents.town import NOW, Town, at, run, told

HOUR_S = 3600
MORNING = datetime(2026, 3, 3, 6, 0, tzinfo=UTC)  # 07:00 in Brussels


def reports() -> list[OutboxMessage]:
    return list(OutboxMessage.objects.filter(template="daily_report").order_by("pk"))


def watched(town: Town, site: Site) -> None:
    Site.objects.filter(pk=site.pk).update(test_period_s=HOUR_S, test_wait_s=600)
    site.refresh_from_db()
    watch.watch_line_tests(site, NOW, NOW)


@pytest.mark.clause("S10.3")
def test_one_mail_an_installer_with_all_his_sites_in_his_language(town: Town) -> None:
    second = town.build_site("Slagerij Claes", codes=False)
    second.installer = town.site.installer
    second.save()
    town.site.installer.language = "fr"
    town.site.installer.save()
    reporting.begin(NOW)
    for site in (town.site, second):
        watched(town, site)
    for hour in range(10):
        run(at(hour * HOUR_S))
    (report,) = reports()
    assert (report.address, report.language, report.clause) == ("maes@example.be", "fr", "S10.3")
    assert "Bakkerij Peeters" in report.body
    assert "Slagerij Claes" in report.body
    # an hourly test, from 22:00 to 07:00: eight were missed at each
    assert report.body.count(": 8 ") == 2
    assert told("report.sent")[0].clause == "S10.3"
    assert not ReportLine.objects.filter(reported_at=None).exists()


@pytest.mark.clause("S10.5")
def test_a_known_undefined_code_is_listed_daily_with_its_count(town: Town) -> None:
    reporting.begin(NOW)
    for minute in range(4):
        town.signal("undefined", "ZZ", when=at(60 * minute))
        run(at(60 * minute))
    assert len(told("mail.sent")) == 1
    run(MORNING)
    (report,) = reports()
    assert "ZZ" in report.body
    assert ReportLine.objects.get().count == 4


@pytest.mark.clause("S10.3")
def test_nothing_to_tell_is_no_mail_and_the_next_day_stands_on_the_agenda(town: Town) -> None:
    reporting.begin(NOW)
    run(MORNING)
    assert reports() == []
    row = AgendaRow.objects.get(
        kind=reporting.REPORTS_DUE, subject=f"provider:{town.provider.pk}", done_at=None
    )
    assert row.due == MORNING + timedelta(days=1)


@pytest.mark.clause("S10.3")
def test_without_an_installer_or_his_address_the_office_gets_it(town: Town) -> None:
    reporting.begin(NOW)
    reporting.note(town.site, ReportLine.Kind.LINE_TEST, "A001", NOW)
    other = town.build_site("Slagerij Claes", codes=False)
    Site.objects.filter(pk=other.pk).update(installer=None)
    reporting.note(other, ReportLine.Kind.LINE_TEST, "A002", NOW)
    town.site.installer.email = ""
    town.site.installer.save()
    run(MORNING)
    assert [report.address for report in reports()] == ["o@example.be"] * 2


@pytest.mark.clause("S10.3")
def test_what_dies_while_reporting_sends_it_once_and_forgets_nothing(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    reporting.begin(NOW)
    reporting.note(town.site, ReportLine.Kind.LINE_TEST, "A001", NOW)
    real = notify.send

    def dies(*args: object, **more: object) -> OutboxMessage:
        real(*args, **more)  # type: ignore[arg-type]
        raise RuntimeError("the process died after the mail was written")

    monkeypatch.setattr(reporting.notify, "send", dies)
    with pytest.raises(RuntimeError):
        run(MORNING)
    assert reports() == []
    assert ReportLine.objects.filter(reported_at=None).count() == 1
    monkeypatch.setattr(reporting.notify, "send", real)
    run(MORNING + timedelta(minutes=10))
    run(MORNING + timedelta(minutes=20))
    assert len(reports()) == 1


@pytest.mark.clause("S10.3")
def test_a_worker_that_starts_again_moves_no_report(town: Town) -> None:
    house_keeping.begin(NOW)
    before = list(AgendaRow.objects.filter(kind=reporting.REPORTS_DUE).values_list("pk", "due"))
    house_keeping.begin(at(HOUR_S))
    after = list(AgendaRow.objects.filter(kind=reporting.REPORTS_DUE).values_list("pk", "due"))
    assert before == after
    assert len(before) == 2  # a row for each provider
    assert {due for _, due in before} == {MORNING}


@pytest.mark.clause("S10.3")
def test_a_provider_that_comes_later_gets_its_reports_within_the_hour(town: Town) -> None:
    house_keeping.begin(NOW)
    late = Provider.objects.create(slug="late", name="Late", terms="securitas-2022-05")
    run(at(HOUR_S))
    row = AgendaRow.objects.get(subject=f"provider:{late.pk}", done_at=None)
    assert (row.kind, row.due) == (reporting.REPORTS_DUE, MORNING)


@pytest.mark.clause("S10.5")
def test_an_undefined_code_without_an_installer_is_told_to_the_office_once(town: Town) -> None:
    Site.objects.filter(pk=town.site.pk).update(installer=None)
    for minute in range(3):
        town.signal("undefined", "ZZ", when=at(60 * minute))
        run(at(60 * minute))
    (message,) = OutboxMessage.objects.filter(template="undefined_code")
    assert message.address == "o@example.be"
    assert [entry.clause for entry in told("mail.sent")] == ["S10.5"]
    assert [entry.reason for entry in told("signal.held")] == ["undefined_known"] * 2
