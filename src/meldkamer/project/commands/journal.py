"""Export or verify the journal.

meldkamer journal export --json [--since T] [--account A]   every stored signal, one a line
meldkamer journal verify                                    recompute the chain that seals it
"""

import argparse

from meldkamer.project.commands._owner import owner, with_django


def arguments(parser: argparse.ArgumentParser) -> None:
    """export | verify."""
    acts = parser.add_subparsers(dest="act", required=True, metavar="export|verify")
    export = acts.add_parser("export", help="print every stored signal, one JSON object a line")
    export.add_argument("--json", action="store_true", required=True, help="the only format")
    export.add_argument("--since", metavar="T", help="received at or after this ISO 8601 moment")
    export.add_argument("--account", metavar="A", help="of this account only")
    acts.add_parser("verify", help="exit 1 and name the first row that was changed or is missing")


def run(options: argparse.Namespace) -> int:
    """Hand over to journal/export.py or journal/verify.py: `main(options) -> int`."""
    with_django()
    return int(owner(f"meldkamer.journal.{options.act}").main(options) or 0)
