"""Receivers that break their promise: the red twins that the chaos checker must catch.

`python -m tests.process.red_receiver hasty` acknowledges before it stores;
`… careless` does not ask whether the database keeps what it commits;
`… forgetful` takes every retry for a new message.
"""

import os
import sys
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from psycopg import AsyncConnection

from meldkamer.project import keys
from meldkamer.project.childhood import say_ready
from meldkamer.project.database import conninfo
from meldkamer.receivers.main import Settings, run
from meldkamer.receivers.writer import GroupCommit, Waiting


class Hasty(GroupCommit):
    """Answers first and stores then: what most receivers do."""

    async def _store(self, batch: list[Waiting]) -> None:
        super().answer(batch)
        await super()._store(batch)

    def answer(self, batch: Sequence[Waiting]) -> None:
        """They have their answer already."""


class Careless(GroupCommit):
    """Takes any database."""

    async def check(self, connection: AsyncConnection[Any]) -> None:
        """It does not ask."""


class Forgetful(GroupCommit):
    """Knows no retry."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more, lifetime=timedelta(0))


KINDS = {"hasty": Hasty, "careless": Careless, "forgetful": Forgetful}


def main() -> int:
    """Run one of them as `meldkamer receive` would run."""
    return run(
        Settings(
            conninfo(os.environ),
            keys.key("sealing"),
            dc09_port=int(os.environ["MELDKAMER_DC09_PORT"]),
            shared_port=True,
            ready=say_ready,
            make_writer=KINDS[sys.argv[1]],
        )
    )


if __name__ == "__main__":
    sys.exit(main())
