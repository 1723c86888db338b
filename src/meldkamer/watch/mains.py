"""The only writer of what is known of a site's mains, and what an outage is counted from (S10.2).

One row a site, so that a count looks at those that failed, not at all signals or all sites. Only
failures that were acted on come here: what a test held back declares no outage. What counts is when
a failure was received: those of a whole day that are judged at once are no outage.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from json import dumps
from math import cos, radians
from typing import Any

from django.db import connection

from meldkamer.rules.distance import distance_km
from meldkamer.sites.models import Site
from meldkamer.terms.model import Outage
from meldkamer.watch.models import Mains

_KM_PER_DEGREE = 111.0
# two receivers store at once: what came this little later may be judged before
_OUT_OF_TURN = timedelta(seconds=1)
# half the side of a square whose corners lie within the circle, with what `_box` adds
_INNER = 0.69
_FAILED = """
INSERT INTO watch_mains AS m
    (site_id, provider_id, postal_code, latitude, longitude, failed_at, restored_at, counts)
SELECT *, NULL, true FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::float8[],
    %s::float8[], %s::timestamptz[])
ON CONFLICT (site_id) DO UPDATE SET provider_id = excluded.provider_id,
    postal_code = excluded.postal_code, latitude = excluded.latitude,
    longitude = excluded.longitude, failed_at = excluded.failed_at, restored_at = NULL,
    counts = m.counts OR m.restored_at IS NOT NULL
"""
_BOX = "latitude BETWEEN %(south)s AND %(north)s AND longitude BETWEEN %(west)s AND %(east)s"
_DOWN = "SELECT site_id, latitude, longitude FROM watch_mains WHERE provider_id = %(provider)s"
_COUNTING = " AND failed_at BETWEEN %(since)s AND %(upto)s AND counts"
_STILL_DARK = (
    " AND failed_at BETWEEN %(waiting_since)s AND %(upto)s AND counts AND restored_at IS NULL"
)
_MONITORED = (
    "SELECT latitude, longitude FROM sites_site"
    " WHERE provider_id = %(provider)s AND in_force_from <= %(upto)s"
)
_MONITORED_BY_CODE = (
    "SELECT count(*) FROM (SELECT FROM sites_site WHERE provider_id = %(provider)s"
    " AND postal_code = %(code)s AND in_force_from <= %(upto)s LIMIT %(most)s) AS seen"
)
# Which of many sites are worth a look of their own: by code that is exact, by distance a bound,
# those down in the square around the circle against all in a square within it.
_SUSPECTS = """
SELECT asked.site FROM json_to_recordset(%(asked)s::json) AS asked (site bigint, provider bigint,
    code text, since timestamptz, upto timestamptz, most int, share float8, outer_box float8[],
    inner_box float8[])
CROSS JOIN LATERAL (
    SELECT count(*) AS down FROM watch_mains m WHERE asked.code <> ''
        AND m.provider_id = asked.provider AND m.postal_code = asked.code
        AND m.failed_at BETWEEN asked.since AND asked.upto AND m.counts
) AS coded CROSS JOIN LATERAL (
    SELECT count(*) AS down FROM watch_mains m WHERE m.provider_id = asked.provider
        AND m.latitude BETWEEN asked.outer_box[1] AND asked.outer_box[2]
        AND m.longitude BETWEEN asked.outer_box[3] AND asked.outer_box[4]
        AND m.failed_at BETWEEN asked.since AND asked.upto AND m.counts
) AS near
WHERE (coded.down >= asked.most AND coded.down >= asked.share * (
    SELECT count(*) FROM sites_site s WHERE s.provider_id = asked.provider
        AND s.postal_code = asked.code AND s.in_force_from <= asked.upto
)) OR (near.down >= asked.most AND near.down >= asked.share * (
    SELECT count(*) FROM sites_site s WHERE s.provider_id = asked.provider
        AND s.latitude BETWEEN asked.inner_box[1] AND asked.inner_box[2]
        AND s.longitude BETWEEN asked.inner_box[3] AND asked.inner_box[4]
        AND s.in_force_from <= asked.upto
))
"""


@dataclass(frozen=True, slots=True)
class Area:
    """An area in which enough sites failed: a postal code, or a circle around a site.

    sites: those that were counted. dark: those, and who failed before and may still wait (R19).
    """

    sites: tuple[int, ...]
    dark: tuple[int, ...]
    postal_code: str = ""
    centre: tuple[float, float] | None = None


def failed(failures: Collection[tuple[Site, datetime]]) -> None:
    """The mains of these sites failed, each at its moment, and that was acted on."""
    rows = [
        (site.pk, site.provider_id, site.postal_code, site.latitude, site.longitude, at)
        for site, at in failures
    ]
    columns = [list(column) for column in zip(*rows, strict=True)]
    if columns:
        with connection.cursor() as cursor:
            cursor.execute(_FAILED, columns)


def restored(site: Site, at: datetime) -> None:
    """They are back."""
    Mains.objects.filter(site=site, restored_at=None).update(restored_at=at)


def is_dark(site: Site) -> Mains | None:
    """The failure that lasts, None when there is none."""
    return Mains.objects.filter(site=site, restored_at=None).first()


def discount(site_ids: list[int]) -> None:
    """An outage was undone: the same failures declare none again."""
    Mains.objects.filter(site_id__in=site_ids).update(counts=False)


def suspects(failures: Collection[tuple[Site, Outage, datetime]]) -> set[int]:
    """The sites around which there may be an outage, in one statement; of the others it is sure."""
    asked = [_suspect(site, terms, at) for site, terms, at in failures if terms.enabled]
    if not asked:
        return set()
    return {row[0] for row in _rows(_SUSPECTS, {"asked": dumps(asked)})}


def _suspect(site: Site, terms: Outage, at: datetime) -> dict[str, Any]:
    boxes: list[list[float] | None] = [None, None]
    if site.latitude is not None and site.longitude is not None:
        place = (site.latitude, site.longitude)
        radii = (terms.radius_km, terms.radius_km * _INNER)
        boxes = [list(_box(place, radius_km).values()) for radius_km in radii]
    return {
        "site": site.pk,
        "provider": site.provider_id,
        "code": site.postal_code,
        "since": (at - timedelta(seconds=terms.window_s)).isoformat(),
        "upto": (at + _OUT_OF_TURN).isoformat(),
        "most": terms.sites,
        "share": terms.share,
        "outer_box": boxes[0],
        "inner_box": boxes[1],
    }


def outage_around(site: Site, terms: Outage, at: datetime, delay_s: int) -> Area | None:
    """The area in which the failure of this site at `at` completes the count and share (R19).

    delay_s: how long a failure waits at most before it is acted on.
    """
    values: dict[str, Any] = {
        "provider": site.provider_id,
        "upto": at + _OUT_OF_TURN,
        "since": at - timedelta(seconds=terms.window_s),
        "waiting_since": at - timedelta(seconds=delay_s),
        "code": site.postal_code,
    }
    return _by_code(site, terms, values) or _by_distance(site, terms, values)


def _by_code(site: Site, terms: Outage, values: dict[str, Any]) -> Area | None:
    if not site.postal_code:
        return None
    down = _rows(_DOWN + " AND postal_code = %(code)s" + _COUNTING, values)
    if len(down) < terms.sites:
        return None
    # whether they are too many can be said without counting them all
    most = int(len(down) / terms.share) + 1
    monitored = _rows(_MONITORED_BY_CODE, {**values, "most": most})[0][0]
    if len(down) < terms.share * monitored:
        return None
    counted = sorted(row[0] for row in down)
    dark = {row[0] for row in _rows(_DOWN + " AND postal_code = %(code)s" + _STILL_DARK, values)}
    return Area(tuple(counted), tuple(sorted(dark | set(counted))), postal_code=site.postal_code)


def _by_distance(site: Site, terms: Outage, values: dict[str, Any]) -> Area | None:
    if site.latitude is None or site.longitude is None:
        return None
    centre = (site.latitude, site.longitude)
    values = {**values, **_box(centre, terms.radius_km)}
    boxed = _rows(f"{_DOWN} AND {_BOX}{_COUNTING}", values)
    down = [row[0] for row in boxed if _near(centre, row[1:], terms.radius_km)]
    if len(down) < terms.sites:
        return None
    most = int(len(down) / terms.share) + 1
    # a square that lies within the circle: too many there are too many in the circle
    inner = {**values, **_box(centre, terms.radius_km * _INNER), "most": most}
    if len(_rows(f"{_MONITORED} AND {_BOX} LIMIT %(most)s", inner)) >= most:
        return None
    around = _rows(f"{_MONITORED} AND {_BOX}", values)
    monitored = sum(_near(centre, row, terms.radius_km) for row in around)
    if len(down) < terms.share * monitored:
        return None
    boxed = _rows(f"{_DOWN} AND {_BOX}{_STILL_DARK}", values)
    dark = {row[0] for row in boxed if _near(centre, row[1:], terms.radius_km)}
    return Area(tuple(sorted(down)), tuple(sorted(dark | set(down))), centre=centre)


def _near(centre: tuple[float, float], place: Any, radius_km: float) -> bool:
    return distance_km(centre, (place[0], place[1])) <= radius_km


def _box(centre: tuple[float, float], radius_km: float) -> dict[str, float]:
    """The square around a circle, in degrees; a little larger than it must be."""
    north = radius_km / _KM_PER_DEGREE * 1.01
    east = north / max(cos(radians(abs(centre[0]) + north)), 0.01)
    return {
        "south": centre[0] - north,
        "north": centre[0] + north,
        "west": centre[1] - east,
        "east": centre[1] + east,
    }


def _rows(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
