"""Fills a database with the demo: two providers, staff, 200 sites, patrols.

Never: change what is there, or run where MELDKAMER_DEMO is off. Idempotent: a site is known again
by its account. The passwords are random, one set per installation, written to
var/demo-logins.json for nobody else to read.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime

from meldkamer.project.demo.loading import load, rest

__all__ = ["load", "main"]


def main(options: argparse.Namespace) -> int:
    """`meldkamer demo [--if-empty]`; 1 where the demo is off."""
    from django.conf import settings

    from meldkamer.sites.models import Provider

    if not settings.MELDKAMER_DEMO:
        print("meldkamer demo: MELDKAMER_DEMO is off here; expected on", file=sys.stderr)
        return 1
    now = datetime.now(UTC)
    if options.if_empty and Provider.objects.exists():
        rest(now)
        return 0
    print(f"demo: {load(now)} sites", flush=True)
    rest(now)
    return 0
