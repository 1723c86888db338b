"""A city of panels and people, for the demo: `meldkamer city`.

A process of its own. It knows the receiver by its port alone, as panels do, and never writes what
a panel could not send; people answer texts as a carrier would bring them. Only where
MELDKAMER_DEMO is on, only on the loopback address.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys


def main(options: argparse.Namespace) -> int:
    """Run until told to stop; 1 where the demo is off, 2 for a rate that is none."""
    from meldkamer.project.commands._owner import with_django

    with_django()
    from django.conf import settings

    from meldkamer.project.city.life import City

    if not settings.MELDKAMER_DEMO:
        print("meldkamer city: MELDKAMER_DEMO is off here; expected on", file=sys.stderr)
        return 1
    try:
        rate = rate_of(getattr(options, "rate", None))
    except ValueError as fault:
        print(f"meldkamer city: {fault}", file=sys.stderr)
        return 2
    asyncio.run(City(options.dc09_port, rate, options.ready).run())
    return 0


def rate_of(flag: float | None) -> float:
    """How lively: 1 is a newcomer's evening; MELDKAMER_CITY_RATE, 0.1 to 20. Raises ValueError."""
    text = os.environ.get("MELDKAMER_CITY_RATE", "1") if flag is None else str(flag)
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0.1 <= rate <= 20:
        raise ValueError(f"the rate is {text!r}; expected a number from 0.1 to 20")
    return rate
