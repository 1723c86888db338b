"""How times are written at the desk: ages, clock times, days.

Ages are `m:ss` under an hour and `h:mm:ss` above; clock times carry seconds and are the site's.
Nothing here reads a clock.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import formats, translation

HOUR_S = 3600
DAY_S = 86_400


def span(seconds: float) -> str:
    """An age or a countdown; never negative."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, HOUR_S)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{left:02d}" if hours else f"{minutes}:{left:02d}"


def gap(seconds: float) -> str:
    """29 s under a minute, then as an age."""
    return f"{int(seconds)} s" if seconds < 60 else span(seconds)


def clock(moment: datetime, zone: ZoneInfo) -> str:
    """02:47:12 at the site."""
    return moment.astimezone(zone).strftime("%H:%M:%S")


def clock_or_day(moment: datetime, now: datetime, zone: ZoneInfo) -> str:
    """The clock time when it is less than a day ago, else the day with the time."""
    there = moment.astimezone(zone)
    if (
        abs((now - moment).total_seconds()) < DAY_S / 2
        or there.date() == now.astimezone(zone).date()
    ):
        return there.strftime("%H:%M:%S")
    return day_and_time(moment, zone)


def month() -> str:
    """Months are written small in Dutch and French, with a capital in English and German."""
    return "b" if (translation.get_language() or "")[:2] in ("nl", "fr") else "M"


def day_and_time(moment: datetime, zone: ZoneInfo) -> str:
    """Sat 18:34 within six days is too clever at night: always day, month and time."""
    return formats.date_format(moment.astimezone(zone), f"j {month()} H:i")


def day(moment: datetime, zone: ZoneInfo) -> str:
    """12 Mar 2024."""
    return formats.date_format(moment.astimezone(zone), f"j {month()} Y")


def weekday_and_time(moment: datetime, zone: ZoneInfo) -> str:
    """Sat 18:34."""
    return formats.date_format(moment.astimezone(zone), "D H:i")
