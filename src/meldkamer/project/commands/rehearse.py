"""Play stories in virtual time and print what the centre would do and why."""

from collections.abc import Sequence

from meldkamer.project.commands._owner import owner


def main(argv: Sequence[str]) -> int:
    """The owner parses the line and asks for a scratch database of its own."""
    return int(owner("meldkamer.rehearsal.cli").main(argv) or 0)
