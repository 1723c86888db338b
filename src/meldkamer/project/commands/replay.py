"""Play the recorded past under other terms; tell what would have gone differently."""

from collections.abc import Sequence

from meldkamer.project.commands._owner import owner


def main(argv: Sequence[str]) -> int:
    """The owner parses the line, reads the installation, and gets a scratch database to play in."""
    from meldkamer.project.scratch import scratch_database

    module = owner("meldkamer.rehearsal.replaying.cli")
    return int(module.main(argv, scratch_database) or 0)
