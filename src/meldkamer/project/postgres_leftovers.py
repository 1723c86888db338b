"""What a killed supervisor, or a machine that was switched off, has left in a cluster's directory.

To be called only under the cluster's lock: then no supervisor lives, and a server that still
runs there is an orphan. A process that is not this cluster's server must never be touched.
"""

import os
import signal
import subprocess
import time
from pathlib import Path

from meldkamer.project.postgres_place import Place, PostgresFault

#: how an orphan is asked to end, and how long each order is given
ORDERS = ((signal.SIGINT, 5.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 2.0))


def clear_leftovers(place: Place) -> None:
    """End a server whose supervisor was killed; forget the number of one that is no more.

    After a restart of the machine the number in postmaster.pid may belong to any process:
    PostgreSQL would then refuse to start for ever. Raises PostgresFault when an orphan stays.
    """
    file = place.data / "postmaster.pid"
    try:
        pid = int(file.read_text().splitlines()[0])
    except (FileNotFoundError, IndexError, ValueError):
        file.unlink(missing_ok=True)
        return
    if not is_server_of(place, pid):
        file.unlink(missing_ok=True)
        return
    for order, wait_s in ORDERS:
        os.kill(pid, order)
        until_s = time.monotonic() + wait_s
        while time.monotonic() < until_s:
            if not is_server_of(place, pid):
                return
            time.sleep(0.02)
    raise PostgresFault(f"a server left over in {place.data} (process {pid}) does not end")


def is_server_of(place: Place, pid: int) -> bool:
    """Whether that process is alive and a PostgreSQL server on this very directory."""
    words = _words_of(pid)
    return str(place.data) in words and not words.startswith("Z")


def _words_of(pid: int) -> str:
    """Its state and command line; empty when there is no such process."""
    if not Path("/proc/self").exists():
        return subprocess.run(
            ["ps", "-o", "stat=,args=", "-p", str(pid)], capture_output=True, text=True, check=False
        ).stdout
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
    except OSError:
        return ""
    return f"{state} {line.decode('utf-8', 'replace')}"
