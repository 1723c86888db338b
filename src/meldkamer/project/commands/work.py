"""Judge signals, run the agenda, send what is in the outbox. Any number may run at once."""

import argparse

from meldkamer.project.commands._owner import owner, with_django


def arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing to choose: what must happen is in the tables."""


def run(options: argparse.Namespace) -> int:
    """Work until told to stop; `options.ready()` is called when the loop runs."""
    from meldkamer.project.childhood import say_ready

    with_django()
    options.ready = say_ready
    return int(owner("meldkamer.project.worker").main(options) or 0)
