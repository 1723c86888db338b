"""Several threads read terms first at the same time: the process lives.

A crash of an extension ends a process without a word, so each try has one of its own.
"""

from __future__ import annotations

import subprocess
import sys

_AT_ONCE = """
import sys, threading
sys.setswitchinterval(1e-6)
from meldkamer.terms.loader import load
barrier = threading.Barrier(6)
def go():
    barrier.wait()
    load("securitas-2022-05")
threads = [threading.Thread(target=go) for _ in range(6)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


def test_terms_that_several_threads_read_first_do_not_end_the_process() -> None:
    # without what stands at the end of `terms.model` four of five tries end with SIGSEGV
    running = [subprocess.Popen([sys.executable, "-c", _AT_ONCE]) for _ in range(4)]
    assert [process.wait(60) for process in running] == [0] * 4
