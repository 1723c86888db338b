"""`meldkamer site import FILE.toml|csv`: brings sites in, all of the file or nothing.

All faults are printed at once, each with file, line, field and what was expected. A site is known
again by its account: importing a file twice changes nothing, a changed file only what differs.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from meldkamer.office import activation
from meldkamer.office.site_csv import read_csv
from meldkamer.office.site_lines import Lines
from meldkamer.office.site_reading import LineFault, Read, read_file, read_toml
from meldkamer.sites import numbers, whole
from meldkamer.sites.faults import Fault, Refused
from meldkamer.sites.models import Provider, Site

ACTOR = "import"


class ImportRefused(Exception):
    """Nothing was stored; the faults say why."""

    def __init__(self, faults: list[LineFault]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = faults


def main(options: argparse.Namespace) -> int:
    """0: brought in; 1: faults in the file; 2: no such file or provider."""
    try:
        text, form = read_file(options.file)
        provider = _provider(options.provider)
    except OSError as fault:
        print(f"meldkamer site import: {options.file}: {fault.strerror}", file=sys.stderr)
        return 2
    except ValueError as fault:
        print(f"meldkamer site import: {fault}", file=sys.stderr)
        return 2
    dry_run = bool(getattr(options, "dry_run", False))
    try:
        remarks: list[LineFault] = []
        now = datetime.now(UTC)
        done = bring(text, form, provider, now, dry_run=dry_run, remarks=remarks)
    except ImportRefused as refused:
        for one in sorted(refused.faults, key=lambda one: one.line):
            name = f" {one.field}:" if one.field else ""
            print(f"{options.file}:{one.line}:{name} {one.reason}", file=sys.stderr)
        print(f"meldkamer site import: {refused}, nothing was stored", file=sys.stderr)
        return 1
    for one in sorted(remarks, key=lambda one: one.line):
        print(f"{options.file}:{one.line}: {one.field}: {one.reason}", file=sys.stderr)
    said = ", ".join(f"{done[word]} {word}" for word in (whole.NEW, whole.CHANGED, whole.SAME))
    print(f"{said}{' (dry run: nothing was stored)' if dry_run else ''}")
    return 0


def _provider(slug: str | None) -> Provider:
    """The provider named, or the only one. Raises ValueError naming those there are."""
    rows = {row.slug: row for row in Provider.objects.order_by("slug")}
    if slug is None and len(rows) == 1:
        return next(iter(rows.values()))
    if slug not in rows:
        there = ", ".join(rows) or "none yet"
        asked = f"no provider {slug!r}" if slug else "several providers, say which: --provider NAME"
        raise ValueError(f"{asked}; there are: {there}")
    return rows[slug]


def bring(
    text: str,
    form: str,
    provider: Provider,
    now: datetime,
    *,
    dry_run: bool = False,
    remarks: list[LineFault] | None = None,
) -> Counter[str]:
    """Bring the sites of a file in; how many are new, changed and the same.

    remarks: filled with what was taken and has a consequence: a number that is refused for texts
    (S7.6), one that costs more (D904.5). Raises ImportRefused with every fault of the file; then
    nothing was stored.
    """
    sites, faults = read_toml(text) if form == "toml" else read_csv(text)
    if faults:
        raise ImportRefused(faults)
    lines = Lines(text) if form == "toml" else None
    done: Counter[str] = Counter()
    with transaction.atomic():
        for site in sites:
            try:
                with transaction.atomic():
                    row, word = _bring_one(provider, site, now)
                    done[word] += 1
                if remarks is not None:
                    remarks += [_at(site, fault, lines) for fault in numbers.remarks(row)]
            except Refused as refused:
                faults += [_at(site, fault, lines) for fault in refused.faults]
        if faults:
            raise ImportRefused(faults)
        transaction.set_rollback(dry_run)
    return done


def _bring_one(provider: Provider, read: Read, now: datetime) -> tuple[Site, str]:
    site, word = whole.bring(provider, read.whole, now, ACTOR)
    if site.activated_at is None and read.activated is not None:
        at = read.activated.replace(tzinfo=ZoneInfo(site.timezone)).astimezone(UTC)
        activation.activate(site, now, ACTOR, at=at)
        word = whole.CHANGED if word == whole.SAME else word
    elif word == whole.CHANGED:
        activation.keep_watching(site, now)
    return site, word


#: how a file names what a draft names otherwise
_NAMES = {
    "test_period_s": "test_period",
    "test_wait_s": "test_wait",
    "power_delay_s": "power_delay",
}


def _at(read: Read, fault: Fault, lines: Lines | None) -> LineFault:
    """The fault with its line and the field as the file names it."""
    name = fault.field.removeprefix("site.")
    name = ".".join(_NAMES.get(part, part) for part in name.split("."))
    if name == "contacts":
        name = "contact"
    clause = f" ({fault.clause})" if fault.clause else ""
    if lines is None:
        return LineFault(int(read.place.partition(".")[2]), name, f"{fault.reason}{clause}")
    return LineFault(lines.of(f"{read.place}.{name}"), name, f"{fault.reason}{clause}")
