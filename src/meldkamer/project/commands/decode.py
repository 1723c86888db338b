"""Read one frame a line and say what it means."""

from collections.abc import Sequence

from meldkamer.project.commands._owner import owner


def main(argv: Sequence[str]) -> int:
    """The owner parses the line."""
    return int(owner("meldkamer.wire.decode").main(argv) or 0)
