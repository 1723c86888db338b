"""The wallboard: what waits against its norm, how soon things were taken up, who is there, and
whether the house and its ways out work.

Read from five metres: a figure, a sign, a word. On time is silent. Nothing here is reckoned in the
browser but ages, and no age without what it counts from. Never: a site of another provider.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from meldkamer.console import house_words, wording
from meldkamer.console.norms import Norm, norm_of
from meldkamer.console.screens.queue import short_name
from meldkamer.console.screens.ways import channel_word, practice_words, practising
from meldkamer.console.timing import clock_or_day, weekday_and_time
from meldkamer.incidents import board_queries as queries
from meldkamer.incidents.board_queries import AtWork, FreeType, LineTests, Taken
from meldkamer.incidents.house_checks import House, house
from meldkamer.incidents.models import HouseCheck, Incident
from meldkamer.notify import health
from meldkamer.notify.health import CarrierNow, ChannelNow
from meldkamer.people.queries import OnDuty, on_duty
from meldkamer.sites.models import Provider

_SHOWN, _CARRIERS, _DAYS = 5, 7, 30
#: shares of EN 50518: within the aim, within the limit
AIM, LIMIT = 80.0, 98.5
#: the strip of ages: left edge, norm and limit in its own units
_LEFT, _NORM, _LIMIT, _RIGHT = 8, 134, 259, 322
#: the charts' day is a column of ten; the goal lies in the middle, a point is so many units
_GOAL_Y, _HALF = 36.0, 34.0
_QUALITY_S = 60


@dataclass(frozen=True, slots=True)
class Tile:
    """One class: free, in hand, the oldest with its sign, and the ages as dots on a strip."""

    klass: str
    words: str
    free: int
    busy: int
    oldest: datetime | None
    where: str
    sla: str
    aim_s: int
    limit_s: int
    dots: tuple[tuple[int, str], ...]
    normed: bool


@dataclass(frozen=True, slots=True)
class Column:
    """A day of a chart: x, y, height, and whether it lies under the goal."""

    x: str
    y: str
    height: str
    under: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """The share taken up in time against its goal, by day."""

    what: str
    within_s: int
    goal: str
    columns: tuple[Column, ...]
    share: str
    reached: bool
    today: str
    today_reached: bool


@dataclass(frozen=True, slots=True)
class Person:
    """One at a desk: what he has, since when."""

    name: str
    language: str
    supervisor: bool
    doing: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Link:
    """A carrier or the receivers: sign, name, what is the matter, a figure."""

    icon: str
    words: str
    name: str
    matter: str
    figure: str


@dataclass(frozen=True, slots=True)
class Board:
    """Everything on the wall."""

    providers: str
    tiles: tuple[Tile, ...]
    charts: tuple[Chart, ...]
    people: tuple[Person, ...]
    duty: OnDuty
    lines: LineTests
    held: int
    on_hold: tuple[Incident, ...]
    tests: int
    in_test: tuple[tuple[str, str, str], ...]
    links: tuple[Link, ...]
    more_links: int
    per_second: str
    house: House
    checks: int
    broken: tuple[tuple[str, int], ...]
    looked_at: str
    practice: str


def board(providers: tuple[Provider, ...], now: datetime, zone: ZoneInfo) -> Board:
    """The board of these providers."""
    ids = [provider.pk for provider in providers]
    standing = house(now)
    held, on_hold = queries.held(ids, _SHOWN)
    tests, in_test = queries.tests(ids, now, _SHOWN)
    channels = health.channels_of(providers, now)
    traffic = queries.traffic(now)
    links = _links(ids, channels, traffic.last, now, zone)
    return Board(
        providers=", ".join(provider.name for provider in providers),
        tiles=_tiles(queries.free(ids), queries.in_hand(ids), now),
        # exercises say nothing of how soon real alarms are taken up
        charts=_charts(tuple(sorted({*ids} - practising(providers))), now, zone),
        people=tuple(_person(one) for one in queries.at_work(ids, now)),
        duty=on_duty(ids, now),
        lines=queries.line_tests(ids),
        held=held,
        on_hold=tuple(on_hold),
        tests=tests,
        in_test=tuple(
            (
                test.site.name,
                " ".join(f"z{number}" for number in test.zones[:2]),
                weekday_and_time(test.until, zone),
            )
            for test in in_test
        ),
        links=tuple(links[:_CARRIERS]),
        more_links=max(0, len(links) - _CARRIERS),
        per_second=number_format(traffic.per_second, 1),
        house=standing,
        checks=HouseCheck.objects.count(),
        broken=tuple((house_words.head(row.name), row.count) for row in standing.broken[:4]),
        looked_at=clock_or_day(standing.looked_at, now, zone) if standing.looked_at else "",
        practice=practice_words(providers, channels),
    )


def _tiles(free: list[FreeType], busy: dict[str, int], now: datetime) -> tuple[Tile, ...]:
    found = []
    for klass, words in wording.CLASSES.items():
        of = [one for one in free if wording.class_of(one.type) == klass]
        aged = [
            (since, norm_of(one.type, now.date()), one.where) for one in of for since in one.since
        ]
        ages = [(since, norm, where) for since, norm, where in aged if norm is not None]
        oldest = min(aged, key=lambda one: one[0], default=None)
        worst = max(ages, key=lambda one: _place(one[1], now - one[0]), default=None)
        shown = worst or oldest
        norm = shown[1] if shown else None
        found.append(
            Tile(
                klass=klass,
                # one may begin a new line after a stroke
                words=str(words).replace("/", "/\N{ZERO WIDTH SPACE}"),
                free=sum(one.count for one in of),
                busy=sum(n for kind, n in busy.items() if wording.class_of(kind) == klass),
                oldest=shown[0] if shown else None,
                where=shown[2] if shown else "",
                sla=norm.state((now - shown[0]).total_seconds()) if norm and shown else "",
                aim_s=norm.aim_s if norm else 0,
                limit_s=norm.limit_s if norm else 0,
                dots=tuple(
                    (_x(one[1], now - one[0]), one[1].state((now - one[0]).total_seconds()))
                    for one in sorted(ages, key=lambda one: one[0], reverse=True)
                ),
                normed=klass != "undefined",
            )
        )
    return tuple(found)


def _place(norm: Norm, age: timedelta) -> float:
    """Where on its strip an age stands: 1 at the norm, 2 at the limit."""
    age_s = age.total_seconds()
    if age_s <= norm.aim_s:
        return age_s / norm.aim_s
    return 1 + (age_s - norm.aim_s) / (norm.limit_s - norm.aim_s)


def _x(norm: Norm, age: timedelta) -> int:
    at = _place(norm, age)
    x = _LEFT + at * (_NORM - _LEFT) if at <= 1 else _NORM + (at - 1) * (_LIMIT - _NORM)
    return int(min(x, _RIGHT))


def _charts(ids: tuple[int, ...], now: datetime, zone: ZoneInfo) -> tuple[Chart, ...]:
    today = now.astimezone(zone).date()
    taken = _taken(ids, str(zone), today, int(now.timestamp() // _QUALITY_S))
    charts = []
    for (aim_s, limit_s), what in (((30, 60), _("Hold-up and fire")), ((90, 180), _("Others"))):
        of = [one for one in taken if one.norm == (aim_s, limit_s)]
        aim = {one.on: (one.in_aim, one.count) for one in of}
        limit = {one.on: (one.in_limit, one.count) for one in of}
        charts.append(_chart(what, aim_s, AIM, aim, today))
        charts.append(_chart(what, limit_s, LIMIT, limit, today))
    return tuple(charts)


@lru_cache(maxsize=64)
def _taken(ids: tuple[int, ...], zone: str, today: date, minute: int) -> tuple[Taken, ...]:
    """Read once a minute for each choice of providers: it looks at a month of incidents."""
    now = datetime.fromtimestamp(minute * _QUALITY_S + _QUALITY_S, ZoneInfo("UTC"))
    norms = {
        kind: (norm.aim_s, norm.limit_s)
        for kind in wording.TYPES
        if (norm := norm_of(kind, today)) is not None
    }
    since = now - timedelta(days=_DAYS)
    return tuple(queries.quality(ids, norms, since, now, zone))


def _chart(
    what: str, within_s: int, goal: float, days: dict[date, tuple[int, int]], today: date
) -> Chart:
    columns = []
    for number in range(_DAYS):
        good, count = days.get(today - timedelta(days=_DAYS - 1 - number), (0, 0))
        if not count:
            continue
        of_day = 100 * good / count
        over = of_day >= goal
        # over the goal there are few points and under it many: each half has its own measure
        part = (of_day - goal) / (100 - goal) if over else (goal - of_day) / goal
        height = max(1.0, part * _HALF)
        y = _GOAL_Y - height if over else _GOAL_Y
        columns.append(Column(f"{number * 10 + 1.5:.1f}", f"{y:.1f}", f"{height:.1f}", not over))
    good, count = (sum(one[i] for one in days.values()) for i in (0, 1))
    share = 100 * good / count if count else None
    good_today, count_today = days.get(today, (0, 0))
    share_today = 100 * good_today / count_today if count_today else None
    return Chart(
        what,
        within_s,
        number_format(goal, 1 if goal % 1 else 0),
        tuple(columns),
        number_format(share, 1) if share is not None else "",
        share is None or share >= goal,
        number_format(share_today, 1) if share_today is not None else "",
        share_today is None or share_today >= goal,
    )


def _person(one: AtWork) -> Person:
    incident = one.incident
    doing = ""
    if incident is not None:
        what = wording.word(wording.TYPES, incident.type)
        doing = ", ".join(part for part in (what, incident.site.town) if part)
    return Person(
        short_name(one.staff),
        one.staff.language,
        one.staff.is_supervisor,
        doing,
        incident.taken_at if incident else None,
    )


def _links(
    ids: list[int],
    channels: list[ChannelNow],
    came: datetime | None,
    now: datetime,
    zone: ZoneInfo,
) -> list[Link]:
    """The receivers first, then what fails, then the rest. came: when the last signal did."""
    receivers = Link(
        "good" if came and now - came < timedelta(hours=1) else "poor",
        _("in order") if came and now - came < timedelta(hours=1) else _("attention"),
        _("Receivers"),
        "",
        clock_or_day(came, now, zone) if came else _("no signal yet"),
    )
    carriers = [_link(one, now, zone) for one in health.carriers(ids, now, enabled=True)]
    missing = [
        Link(
            "bad",
            _("attention"),
            " ".join(part for part in (channel_word(one.channel), one.lane) if part),
            _("no carrier"),
            _("%(n)s wait") % {"n": one.waiting},
        )
        for one in channels
        if one.state == "none"
    ]
    order = {"bad": 0, "poor": 1, "practice": 2, "good": 3}
    return [receivers, *sorted([*missing, *carriers], key=lambda one: order[one.icon])]


def _short(moment: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Hours and minutes of today, else the day as well."""
    there = moment.astimezone(zone)
    if there.date() == now.astimezone(zone).date():
        return there.strftime("%H:%M")
    return weekday_and_time(moment, zone)


def _link(one: CarrierNow, now: datetime, zone: ZoneInfo) -> Link:
    name = f"{channel_word(one.row.channel)} {one.row.name}"
    figure = _("%(n)s wait") % {"n": one.waiting} if one.waiting else f"{one.last_hour}/h"
    if one.sandbox:
        return Link("practice", "", name, _("practice"), "")
    if one.state == "bad":
        since = _short(one.row.since, now, zone) if one.row.since else ""
        return Link("bad", _("does not work"), name, _("down %(at)s") % {"at": since}, figure)
    if one.state == "unknown":
        return Link("poor", _("not known"), name, _("not known"), figure)
    return Link("good", _("in order"), name, "", figure)
