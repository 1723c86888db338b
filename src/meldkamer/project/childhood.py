"""Children that end when their parent does, whatever ends the parent.

Linux does it by a signal (PDEATHSIG); elsewhere a child of a killed parent lives on and is
ended by the next start.
"""

import ctypes
import os
import signal
import socket
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1


def die_with_parent(order: signal.Signals = signal.SIGTERM) -> Callable[[], None] | None:
    """What a child runs before exec: be sent `order` when the thread that started it is gone.

    To be used as `preexec_fn`: it runs after the change of user, which would undo it.
    """
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def arrange() -> None:
        if libc.prctl(PR_SET_PDEATHSIG, int(order), 0, 0, 0) != 0:
            os._exit(127)
        if os.getppid() != parent:  # it died before we could ask
            os._exit(127)

    return arrange


def follow_parent() -> None:
    """For our own children: end with the supervisor that MELDKAMER_PARENT names, if any.

    Raises SystemExit when that supervisor is gone already.
    """
    named = os.environ.pop("MELDKAMER_PARENT", "")
    if not named or sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    if os.getppid() != int(named):
        raise SystemExit("the supervisor is gone")


def say_ready() -> None:
    """Tell whoever started this process (`meldkamer run`, systemd) that it does its work now."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
        notices.connect(address)
        notices.sendall(b"READY=1")
