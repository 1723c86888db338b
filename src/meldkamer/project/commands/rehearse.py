"""Play stories in virtual time and print what the centre would do and why."""

from collections.abc import Sequence

from meldkamer.project.commands._owner import owner


def main(argv: Sequence[str]) -> int:
    """The owner parses the line; it gets a scratch database of its own to play in."""
    from meldkamer.project.scratch import scratch_database

    return int(owner("meldkamer.rehearsal.cli").main(argv, scratch_database) or 0)
