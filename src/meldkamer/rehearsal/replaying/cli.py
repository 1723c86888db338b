"""Which incidents of the past would have gone differently under other terms or a draft?

Reads the installation's journal in one read-only transaction, then plays each site's past twice in
a scratch database of its own: under the terms it was handled with, and under the others. Nothing is
written to the installation.

  meldkamer replay --since 2026-11-01 --terms securitas-2027-01
  meldkamer replay --since 2026-11-01 --terms ./ours.toml --account D000
  meldkamer replay --since 2026-11-01 --terms procedure:12

Exit 0: nothing would have gone differently; 1: something would; 2: the command line is wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meldkamer.terms.loader import TermsFault, adopt, load
from meldkamer.terms.loader import read as read_terms

if TYPE_CHECKING:
    from meldkamer.rehearsal.replaying.comparing import Difference, Told
    from meldkamer.rehearsal.replaying.past import SitePast, Wanted
    from meldkamer.sites.models import ProcedureVersion

ScratchDatabase = Callable[[str], AbstractContextManager[str]]
_DRAFT = "procedure:"


class ReplayFault(Exception):
    """The command line asks for what is not there: what, and what was expected."""


@dataclass(frozen=True, slots=True)
class Target:
    """What the past is played under: terms, and perhaps the draft of a procedure."""

    terms: str
    draft: ProcedureVersion | None = None


def main(argv: Sequence[str], scratch_database: ScratchDatabase) -> int:
    """Read the past, play it twice, tell the differences; the exit code."""
    options = _parser().parse_args(list(argv))
    _setup()
    from django.db import connections

    from meldkamer.rehearsal.replaying.past import read

    try:
        target = _target(options.terms)
        wanted = _wanted(options, target)
        pasts, left = read(wanted)
    except (ReplayFault, TermsFault) as fault:
        print(f"meldkamer replay: {fault}", file=sys.stderr)
        return 2
    finally:
        connections.close_all()
    with scratch_database("replay") as dsn, connected_to(dsn):
        told = _play_all(pasts, target, quiet=options.json)
    _print(told, left, as_json=options.json)
    return 1 if any(one.differs for one in told) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="meldkamer replay",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--since", required=True, metavar="T", help="from then, ISO 8601")
    parser.add_argument("--until", metavar="T", help="until then; else until now")
    parser.add_argument(
        "--terms", required=True, metavar="NEW", help="a terms file, or procedure:ID of a draft"
    )
    parser.add_argument("--site", default="", metavar="NAME", help="of this site alone")
    parser.add_argument("--account", default="", metavar="A", help="of this account alone")
    parser.add_argument(
        "--most", type=int, default=1000, metavar="N", help="so many incidents, the newest"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    return parser


def _setup() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "meldkamer.project.settings")
    django.setup()


def _target(named: str) -> Target:
    """A shipped terms file, a file, or a version of a procedure."""
    if not named.startswith(_DRAFT):
        terms = read_terms(Path(named)) if named.endswith(".toml") else load(named)
        return Target(adopt(terms) if named.endswith(".toml") else terms.name)
    from meldkamer.sites.models import ProcedureVersion

    number = named.removeprefix(_DRAFT)
    rows = ProcedureVersion.objects.select_related("provider")
    row = rows.filter(pk=int(number)).first() if number.isdecimal() and len(number) < 19 else None
    if row is None:
        raise ReplayFault(f"no version of a procedure {number!r}; expected procedure:ID of one")
    return Target(row.provider.terms, row)


def _wanted(options: argparse.Namespace, target: Target) -> Wanted:
    from meldkamer.rehearsal.replaying.past import Wanted

    if options.most < 1:
        raise ReplayFault(f"--most {options.most}; expected 1 or more")
    if any("\0" in text for text in (options.site, options.account)):
        raise ReplayFault("a NUL character is not text")
    since = _moment("--since", options.since)
    until = _moment("--until", options.until) if options.until else datetime.now(UTC)
    if until <= since:
        raise ReplayFault("--until is not after --since")
    draft = target.draft
    return Wanted(
        since, until, options.site, options.account,
        draft.provider_id if draft else None, draft.site_id if draft else None, options.most,
    )  # fmt: skip


def _moment(name: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ReplayFault(
            f"{name} {text!r} is no moment; expected ISO 8601, as 2026-03-01T00:00:00+01:00"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@contextmanager
def connected_to(dsn: str) -> Iterator[None]:
    """This process talks to another database, as its owner, and to its own again afterwards."""
    from django.db import connections
    from psycopg.conninfo import conninfo_to_dict

    parts = {key: str(value or "") for key, value in conninfo_to_dict(dsn).items()}
    connection = connections["default"]
    kept = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict.update(
        {
            "NAME": parts.pop("dbname"),
            "USER": parts.pop("user", ""),
            "PASSWORD": parts.pop("password", ""),
            "HOST": parts.pop("host", ""),
            "PORT": parts.pop("port", ""),
            "OPTIONS": {**parts, "options": "-c timezone=UTC"},
        }
    )
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.clear()
        connection.settings_dict.update(kept)


def _play_all(pasts: Sequence[SitePast], target: Target, *, quiet: bool) -> list[Told]:
    from meldkamer.rehearsal.replaying.comparing import tell
    from meldkamer.rehearsal.replaying.player import play

    found: list[Told] = []
    for number, past in enumerate(pasts, start=1):
        name = past.site.name
        progress = f"{number}/{len(pasts)} {name}: {len(past.incidents)} incidents"
        print(progress, file=sys.stderr, flush=True)
        terms = load(target.terms)
        known = past.site.plan in terms.plans
        if not known or (past.site.formula and past.site.formula not in terms.formulas):
            print(f"  not played: {target.terms} has no such plan or formula", file=sys.stderr)
            continue
        under = past.terms if target.draft else target.terms
        old = play(past, past.terms)
        new = play(past, under, target.draft)
        found += tell(name, past.incidents, old, new, list(dict.fromkeys(past.notes)))
    return found


# --- telling


def _print(told: Sequence[Told], left: int, *, as_json: bool) -> None:
    if as_json:
        for one in told:
            print(json.dumps(_as_json(one), ensure_ascii=False))
        print(json.dumps(_summary(told, left)))
        return
    for one in told:
        for line in _as_text(one):
            print(line)
    summary = _summary(told, left)
    print(
        f"{summary['incidents']} incidents: {summary['differ']} would have gone differently, "
        f"{summary['faithful']} were played as they were recorded"
        + (f", {left} older ones were left out (--most)" if left else "")
    )


def _summary(told: Sequence[Told], left: int) -> dict[str, Any]:
    recorded = [one for one in told if one.past is not None]
    return {
        "what": "summary",
        "incidents": len(recorded),
        "differ": sum(one.differs for one in told),
        "faithful": sum(one.is_faithful for one in recorded),
        "left_out": left,
    }


def _as_json(one: Told) -> dict[str, Any]:
    incident = one.past or (one.new.now if one.new else None)
    return {
        "what": "incident",
        "site": one.site,
        "incident": one.past.id if one.past else None,
        "type": incident.type if incident else "",
        "opened_at": incident.opened_at.isoformat() if incident else "",
        "differs": one.differs,
        "faithful": one.is_faithful,
        "recorded": one.past.outcome if one.past else None,
        "old": one.old.now.outcome if one.old else None,
        "new": one.new.now.outcome if one.new else None,
        **_change_json("services", one.changed),
        "differences": [change.as_json() for change in one.changed.changes] if one.changed else [],
        "unfaithful": [c.as_json() for c in one.faithful.changes] if one.faithful else [],
        "unfaithful_seconds": list(one.faithful.seconds) if one.faithful else [],
        "assumed": list(one.new.assumed) if one.new else [],
        "notes": list(one.reasons),
    }


def _change_json(name: str, changed: Difference | None) -> dict[str, Any]:
    if changed is None:
        return {}
    return {name: [list(part) for part in changed.services], "seconds": list(changed.seconds)}


def _as_text(one: Told) -> Iterator[str]:
    """Only what differs, or was not played as it was recorded."""
    if not one.differs and one.is_faithful:
        return
    incident = one.past or (one.new.now if one.new else None)
    if incident is None:
        return
    at = incident.opened_at.isoformat(timespec="seconds")
    number = f"#{one.past.id}" if one.past else "new"
    yield f"{number} {one.site} · {incident.type} · {at}"
    if one.past is None:
        yield "  opened under the new terms alone"
    elif one.old is None:
        yield "  was recorded, and does not open when its past is played"
    elif one.new is None:
        yield "  does not open under the new terms"
    if one.changed:
        yield from _difference(one.changed)
        yield from (f"  assumed: {word}" for word in (one.new.assumed if one.new else ()))
    if one.past is not None and one.old is not None and not one.is_faithful:
        yield "  not faithful: recorded (-), and played under the old terms (+)"
        if one.faithful is not None:
            yield from (f"  {line}" for line in _difference(one.faithful))
        yield from (f"    {note}" for note in one.reasons)


def _difference(found: Difference) -> Iterator[str]:
    for change in found.changes:
        minutes, seconds = divmod(change.after_s, 60)
        yield f"  {change.sign} {minutes:>4}:{seconds:02} {change.line}"
    if found.outcomes[0] != found.outcomes[1]:
        yield f"  outcome: {found.outcomes[0]} → {found.outcomes[1]}"
    if found.services[0] != found.services[1]:
        before, after = (", ".join(part) or "none" for part in found.services)
        yield f"  services: {before} → {after}"
    if found.later:
        yield f"  closed after {found.seconds[0]} s → {found.seconds[1]} s"
