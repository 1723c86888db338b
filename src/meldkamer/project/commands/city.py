"""Dial in as the panels of the demo's sites do, over TCP and UDP, plain and encrypted.

It is a process of its own that knows the receiver only by its port, as a real panel does.
"""

import argparse
import os

from meldkamer.project.commands._owner import owner
from meldkamer.project.commands.receive import DEFAULT_PORT


def arguments(parser: argparse.ArgumentParser) -> None:
    """Where the receiver is, and how much happens."""
    parser.add_argument(
        "--dc09-port",
        type=int,
        default=int(os.environ.get("MELDKAMER_DC09_PORT") or DEFAULT_PORT),
    )
    parser.add_argument(
        "--rate", type=float, help="how lively, 0.1 to 20 (default MELDKAMER_CITY_RATE, else 1)"
    )


def run(options: argparse.Namespace) -> int:
    """Hand over to project/city.py: `main(options) -> int`."""
    from meldkamer.project.childhood import say_ready

    options.host = "127.0.0.1"
    options.ready = say_ready
    return int(owner("meldkamer.project.city").main(options) or 0)
