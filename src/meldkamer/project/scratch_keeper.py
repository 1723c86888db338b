"""Runs the scratch cluster as long as somebody uses it (see scratch.py); started by its users.

It must never end while a user holds the lock, and never outlive the last one by much more than
a minute.
"""

import fcntl
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from meldkamer.project.postgres import Server
from meldkamer.project.postgres_place import Place, PostgresFault

IDLE_LIMIT_S = 60.0
LOOK_S = 0.5


def keep(home: Path, idle_limit_s: float = IDLE_LIMIT_S) -> None:
    """Run the cluster in `home`; return when nobody has used it for `idle_limit_s`."""
    server = Server(Place(home), durable=False)
    server.start()
    with (home / "users").open("a") as users:
        idle_since_s = time.monotonic()
        try:
            while True:
                time.sleep(LOOK_S)
                if server.poll() is not None:
                    server.launch()
                try:
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    idle_since_s = time.monotonic()
                    continue
                if time.monotonic() - idle_since_s > idle_limit_s:
                    return  # still under the lock: who comes now waits until we are gone
                fcntl.flock(users, fcntl.LOCK_UN)
        finally:
            server.close()


def main() -> int:
    """The keeper process: `python -m meldkamer.project.scratch_keeper HOME`."""
    signal.signal(signal.SIGTERM, _leave)
    try:
        keep(Path(sys.argv[1]))
    except PostgresFault as fault:
        print(fault, file=sys.stderr)
        return 1
    return 0


def _leave(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(main())
