"""Rehearse random stories with every checker, and shorten the first one that fails."""

from collections.abc import Sequence

from meldkamer.project.commands._owner import owner


def main(argv: Sequence[str]) -> int:
    """The owner parses the line; it gets a scratch database of its own to play in."""
    from meldkamer.project.scratch import scratch_database

    return int(owner("meldkamer.rehearsal.simulator.cli").main(argv, scratch_database) or 0)
