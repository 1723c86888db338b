"""The SMS centre of the bench: `smpp34`, which takes every text and notes when it came.

`python -m bench.sms_centre PORT`. Prints "ready", and at the end of its input one line of JSON:
[[seconds since the epoch, number], …].
"""

import asyncio
import json
import sys
import time

import smpp34


async def run(port: int) -> None:
    """Until its input ends."""
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
                event.accept(f"b{time.time_ns():x}{number:x}")

    taking = asyncio.create_task(take())
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    taking.cancel()
    print(json.dumps(came), flush=True)


if __name__ == "__main__":
    asyncio.run(run(int(sys.argv[1])))
