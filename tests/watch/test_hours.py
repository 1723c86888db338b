"""Opening hours: areas apart, dates and holidays, still open; each becomes a signal (S11.1)."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest

from meldkamer.agenda.models import AgendaRow
from meldkamer.engine import cycle
from meldkamer.incidents.models import Incident
from meldkamer.sites.models import OpeningHours
from meldkamer.watch import hours
from meldkamer.watch.expectations import HOLIDAY
from tests.incidents.town import NOW, Town, at, run, told

MINUTE_S, HOUR_S = 60, 3600
# NOW is Monday 2 March 2026, 22:00 at the site


def open_daily(town: Town, closes: time, *, area: str = "", **more: object) -> None:
    """08:00 until then, every day of the week."""
    for day in range(7):
        OpeningHours.objects.create(
            site=town.site, area=area, weekday=day, opens=time(8), closes=closes, **more
        )


def armed(town: Town, when_s: float, role: str = "arm", area: str | None = None) -> None:
    """The panel says that it was armed, or disarmed."""
    code = "CL" if role == "arm" else "OP"
    town.signal(role, code, role=role, zone=None, area=area, when=at(when_s))
    run(at(when_s))


@pytest.mark.clause("S11.1")
def test_an_area_that_is_armed_is_not_late_and_the_other_is(town: Town) -> None:
    for area in ("1", "2"):
        open_daily(town, time(22, 30), area=area)
    hours.watch_hours(town.site, NOW)
    armed(town, 20 * MINUTE_S, area="01")
    run(at(45 * MINUTE_S))
    assert list(Incident.objects.values_list("area", flat=True)) == ["2"]
    assert [entry.data["how"] for entry in told("schedule.missed")] == ["late"]


@pytest.mark.clause("S11.1")
def test_arming_without_an_area_closes_all_of_them(town: Town) -> None:
    for area in ("", "1", "2"):
        open_daily(town, time(22, 30), area=area)
    hours.watch_hours(town.site, NOW)
    armed(town, 20 * MINUTE_S)
    run(at(45 * MINUTE_S))
    assert told("schedule.missed") == []


@pytest.mark.clause("S11.1")
def test_an_area_opened_early_is_told_for_that_area(town: Town) -> None:
    open_daily(town, time(22, 30), area="2")
    hours.watch_hours(town.site, NOW)
    armed(town, 20 * MINUTE_S, area="2")
    armed(town, 8 * HOUR_S, "disarm", area="2")  # 06:00
    (entry,) = told("schedule.missed")
    assert (entry.data["expected"], entry.data["how"]) == ("open", "early")
    assert entry.clause == "S11.1"
    assert Incident.objects.get().area == "2"


@pytest.mark.clause("S11.1")
def test_after_a_time_without_workers_the_state_at_the_deadline_counts(town: Town) -> None:
    open_daily(town, time(22, 30))
    hours.watch_hours(town.site, NOW)
    # closed in time and opened in time the next morning; nobody worked meanwhile
    town.signal("arm", "CL", role="arm", zone=None, when=at(40 * MINUTE_S))
    town.signal("disarm", "OP", role="disarm", zone=None, when=at(10 * HOUR_S))
    run(at(11 * HOUR_S))
    assert told("schedule.missed") == []


@pytest.mark.clause("S11.1")
def test_a_fault_at_the_deadline_puts_the_look_off_and_not_the_deadline(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closed in between is closed too late."""
    open_daily(town, time(22, 30))
    hours.watch_hours(town.site, NOW)
    armed(town, MINUTE_S, "disarm")
    due = AgendaRow.objects.get(kind=hours.HOURS_DUE, done_at=None).due

    def broken(*_: object) -> None:
        raise RuntimeError("no")

    with monkeypatch.context() as patch:
        patch.setattr(hours, "hours_due", broken)
        with pytest.raises(RuntimeError):
            cycle.act_on_due(due)
    town.signal("arm", "CL", role="arm", zone=None, when=due + timedelta(seconds=1))
    run(due + timedelta(seconds=60))
    assert [entry.data["how"] for entry in told("schedule.missed")] == ["late"]


@pytest.mark.clause("S11.1")
def test_late_and_still_open_is_told_again_until_it_is_closed(town: Town) -> None:
    open_daily(town, time(22, 30), repeat_s=30 * MINUTE_S)
    hours.watch_hours(town.site, NOW)
    run(at(100 * MINUTE_S))  # 22:45, 23:15 and no more until 23:45
    assert [entry.data.get("count") for entry in told("schedule.missed")] == [None, 2]
    armed(town, 104 * MINUTE_S)
    run(at(5 * HOUR_S))
    assert len(told("schedule.missed")) == 2
    assert not AgendaRow.objects.filter(kind=hours.STILL_OPEN, done_at=None).exists()


@pytest.mark.clause("S11.1")
def test_a_repeat_opens_an_incident_again_when_the_first_is_closed(town: Town) -> None:
    open_daily(town, time(22, 30), repeat_s=30 * MINUTE_S)
    hours.watch_hours(town.site, NOW)
    run(at(45 * MINUTE_S))
    Incident.objects.update(
        state="closed", closed_at=at(46 * MINUTE_S), outcome="handled", owner=None, due=None
    )
    run(at(75 * MINUTE_S))
    assert Incident.objects.filter(closed_at=None, type="open_close").count() == 1


@pytest.mark.clause("S11.1")
def test_repeats_stop_when_it_is_to_be_open_again(town: Town) -> None:
    open_daily(town, time(22, 30), repeat_s=HOUR_S)
    hours.watch_hours(town.site, NOW)
    for quarter in range(48):
        run(at(quarter * 15 * MINUTE_S))
    times = [entry.at for entry in told("schedule.missed")]
    # 22:45, then every hour until the last before 08:00
    assert times == [at(45 * MINUTE_S + hour * HOUR_S) for hour in range(10)]


@pytest.mark.clause("S11.1")
def test_without_an_interval_a_late_closing_is_told_once(town: Town) -> None:
    open_daily(town, time(22, 30))
    hours.watch_hours(town.site, NOW)
    run(at(9 * HOUR_S))
    assert len(told("schedule.missed")) == 1


@pytest.mark.clause("S11.1")
def test_a_single_date_without_hours_is_not_late_and_opening_then_is_off_schedule(
    town: Town,
) -> None:
    open_daily(town, time(17))
    OpeningHours.objects.create(site=town.site, on_date=date(2026, 3, 3))
    hours.watch_hours(town.site, NOW)
    run(at(24 * HOUR_S))
    assert told("schedule.missed") == []
    OpeningHours.objects.filter(on_date__isnull=False).update(on_date=date(2026, 3, 4))
    armed(town, 35 * HOUR_S, "disarm")  # the fourth, 09:00
    assert told("schedule.missed")[0].data["how"] == "off_schedule"


@pytest.mark.clause("S11.1")
def test_a_holiday_closes_the_site_where_its_hours_say_so(town: Town) -> None:
    open_daily(town, time(17))
    OpeningHours.objects.create(site=town.site, weekday=HOLIDAY)
    plan = hours.plan_of(town.site, "")
    assert plan is not None
    assert plan.windows(date(2026, 4, 6)) == []  # Easter Monday
    assert len(plan.windows(date(2026, 4, 7))) == 1


@pytest.mark.clause("S11.1")
def test_hours_that_are_taken_away_leave_nothing_on_the_agenda(town: Town) -> None:
    for area in ("", "1"):
        open_daily(town, time(22, 30), area=area)
    hours.watch_hours(town.site, NOW)
    OpeningHours.objects.filter(area="1").delete()
    hours.watch_hours(town.site, NOW)
    rows = AgendaRow.objects.filter(kind=hours.HOURS_DUE, done_at=None)
    assert list(rows.values_list("subject", flat=True)) == [f"site:{town.site.pk}:"]


@pytest.mark.clause("D907.2")
def test_the_state_of_an_area_is_kept(town: Town) -> None:
    open_daily(town, time(22, 30), area="1")
    hours.watch_hours(town.site, NOW)
    assert hours.is_armed(town.site, "1") is False
    armed(town, 60, area="1")
    assert hours.is_armed(town.site, "1") is True
