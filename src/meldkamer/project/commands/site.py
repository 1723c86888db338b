"""Import sites from a file: `meldkamer site import FILE.toml|csv`.

Nothing is stored when one line is wrong; each fault names the line and the field.
"""

import argparse
from pathlib import Path

from meldkamer.project.commands._owner import owner, with_django


def arguments(parser: argparse.ArgumentParser) -> None:
    """import FILE [--provider NAME] [--dry-run]."""
    acts = parser.add_subparsers(dest="act", required=True, metavar="import")
    bring = acts.add_parser("import", help="bring sites in from a TOML or CSV file")
    bring.add_argument("file", type=Path)
    bring.add_argument("--dry-run", action="store_true", help="only say what would change")
    bring.add_argument("--provider", help="short name of the provider, when there are several")


def run(options: argparse.Namespace) -> int:
    """Hand over to office/site_import.py: `main(options) -> int`."""
    with_django()
    return int(owner("meldkamer.office.site_import").main(options) or 0)
