"""Fill an empty database with the demo: two providers, 200 sites, staff with logins.

The passwords are made at random and written to var/demo-logins.json, for nobody else to read.
"""

import argparse

from meldkamer.project.commands._owner import owner, with_django


def arguments(parser: argparse.ArgumentParser) -> None:
    """--if-empty does nothing when there is a provider already."""
    parser.add_argument("--if-empty", action="store_true", help="leave a filled database alone")


def run(options: argparse.Namespace) -> int:
    """Hand over to project/demo.py: `main(options) -> int`."""
    with_django()
    return int(owner("meldkamer.project.demo").main(options) or 0)
