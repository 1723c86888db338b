"""Children that end when their parent does, whatever ends the parent.

Linux does it by a signal (PDEATHSIG); elsewhere a child of a killed parent lives on and is
ended by the next start.
"""

import ctypes
import os
import signal
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
