"""Check or show a provider's terms (`check FILE…`, `show NAME`)."""

from collections.abc import Sequence

from meldkamer.project.commands._owner import owner


def main(argv: Sequence[str]) -> int:
    """The owner parses the line."""
    return int(owner("meldkamer.terms.cli").main(argv) or 0)
