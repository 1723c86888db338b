"""Measure the receiver and the screen on this machine."""

from collections.abc import Sequence

from meldkamer.project.commands._owner import owner


def main(argv: Sequence[str]) -> int:
    """The owner parses the line."""
    return int(owner("meldkamer.project.bench").main(argv) or 0)
