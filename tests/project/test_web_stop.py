"""The web process ends although a browser holds a stream of events open."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from meldkamer.project.commands.web import GRACE_S
from tests.peers import until

ENDLESS = """
import asyncio, sys
from meldkamer.project.commands.web import serve
async def stream(scope, receive, send):
    await send({"type": "http.response.start", "status": 200,
                "headers": [(b"content-type", b"text/event-stream")]})
    while True:
        await send({"type": "http.response.body", "body": b": beat\\n\\n", "more_body": True})
        await asyncio.sleep(0.1)
sys.exit(serve(stream, int(sys.argv[1]), eval(sys.argv[2])))
"""


def seconds_to_stop(tmp_path: Path, grace_s: int | None, limit_s: float) -> float:
    """From SIGTERM to the end of a web process with an open stream; `limit_s` when it does not."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
        notices.bind(str(tmp_path / "notify"))
        web = subprocess.Popen(
            [sys.executable, "-c", ENDLESS, str(port), repr(grace_s)],
            env=os.environ | {"NOTIFY_SOCKET": str(tmp_path / "notify")},
            stderr=subprocess.DEVNULL,
        )
        try:
            notices.settimeout(20)
            assert notices.recv(100) == b"READY=1"
            with socket.create_connection(("127.0.0.1", port)) as browser:
                browser.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
                until(lambda: b": beat" in browser.recv(1000))
                assert web.poll() is None
                began_s = time.monotonic()
                web.send_signal(signal.SIGTERM)
                try:
                    web.wait(limit_s)
                except subprocess.TimeoutExpired:
                    return limit_s
                return time.monotonic() - began_s
        finally:
            web.kill()
            web.wait()


def test_an_open_stream_does_not_hold_up_the_stop(open_dir: Path) -> None:
    # it ended by itself; its red twin below did not
    assert seconds_to_stop(open_dir, GRACE_S, 20) < 20


@pytest.mark.slow
def test_without_a_limit_it_would(open_dir: Path) -> None:
    assert seconds_to_stop(open_dir, None, GRACE_S + 2) == GRACE_S + 2
