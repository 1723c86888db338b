"""The SMS centre of the bench: `smpp34`, which takes every text and notes when it came.

`python -m bench.sms_centre PORT [DELAY_MS]`: each text is answered after so long. Prints "ready",
and at the end of its input one line of JSON: [[seconds since the epoch, number], …].
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import smpp34

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def centre(port: int, delay_ms: int = 0) -> Iterator[subprocess.Popen[str]]:
    """The SMS centre as a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.sms_centre", str(port), str(delay_ms)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.wait(10)


async def run(port: int, delay_s: float) -> None:
    """Until its input ends."""
    loop = asyncio.get_running_loop()
    server = smpp34.Server("127.0.0.1", port, system_id="bench", inbound_capacity=10_000)
    await server.start()
    came: list[tuple[float, str]] = []

    async def take() -> None:
        number = 0
        while True:
            event = await server.next()
            if isinstance(event, smpp34.SubmitSmEvent):
                number += 1
                came.append((time.time(), event.destination_addr))
                ref = f"b{time.time_ns():x}{number:x}"
                if delay_s:
                    loop.call_later(delay_s, event.accept, ref)
                else:
                    event.accept(ref)

    taking = asyncio.create_task(take())
    print("ready", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    taking.cancel()
    print(json.dumps(came), flush=True)


if __name__ == "__main__":
    asyncio.run(run(int(sys.argv[1]), float((sys.argv[2:] or ["0"])[0]) / 1000))
