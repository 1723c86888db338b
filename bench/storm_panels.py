"""The panels of a storm, in one process: each account says one thing, at its moment.

`python -m bench.storm_panels` reads one JSON order, prints "ready", starts when it is sent a line,
and prints the figures. Frames go over so many standing connections, one in flight on each, as a
gateway of a network operator sends them; due times are fixed beforehand (open loop), so a late
answer makes nothing quieter. A frame that is not acknowledged in time is sent again.
"""

import asyncio
import json
import sys
import time
from collections import deque
from datetime import UTC, datetime
from typing import Any

import uvloop

from meldkamer.wire.encoder import encode

ANSWER_S = 10.0
LANES, URGENT_LANES = 60, 4


class Lane:
    """A standing connection: what waits to be sent on it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.due: deque[tuple[float, str, str]] = deque()
        self.more = asyncio.Event()

    async def run(self, storm: "Storm") -> None:
        """Send what is put here until the storm is over."""
        reader = writer = None
        while True:
            while not self.due:
                self.more.clear()
                await self.more.wait()
            due_s, account, said = self.due[0]
            try:
                if writer is None:
                    reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                assert reader is not None
                began = time.time()
                writer.write(_frame(account, said))
                answer = await asyncio.wait_for(reader.readuntil(b"\r"), ANSWER_S)
            except (OSError, asyncio.IncompleteReadError, TimeoutError):
                storm.resent += 1
                if writer is not None:
                    writer.close()
                reader = writer = None
                await asyncio.sleep(0.2)
                continue
            if b'ACK"' not in answer or f"#{account}[".encode() not in answer:
                storm.wrong += 1
                await asyncio.sleep(0.2)
                continue
            self.due.popleft()
            storm.acknowledged(account, said, began, due_s)


class Storm:
    """All lanes, and what was acknowledged."""

    def __init__(self, order: dict[str, Any]) -> None:
        self.order = order
        self.resent = self.wrong = self.count = 0
        self.late_s = 0.0
        self.burglaries: list[tuple[str, float, float]] = []
        self.total = len(order["power"]) + len(order["burglaries"])
        self.done = asyncio.Event()

    def acknowledged(self, account: str, said: str, began: float, due_s: float) -> None:
        """One more; of a burglary when it was written and when it was acknowledged."""
        self.count += 1
        self.late_s = max(self.late_s, time.monotonic() - due_s)
        if said == "BA":
            self.burglaries.append((account, began, time.time()))
        if self.count == self.total:
            self.done.set()

    async def run(self) -> dict[str, Any]:
        """Send all; the figures."""
        lanes = [Lane(self.order["port"]) for _ in range(LANES)]
        urgent = [Lane(self.order["port"]) for _ in range(URGENT_LANES)]
        tasks = [asyncio.create_task(lane.run(self)) for lane in lanes + urgent]
        began_s, used_s = time.monotonic(), time.process_time()
        await asyncio.gather(
            self._at_moments(self.order["power"], "AT", lanes, began_s),
            self._at_moments(self.order["burglaries"], "BA", urgent, began_s),
        )
        await self.done.wait()
        for task in tasks:
            task.cancel()
        return {
            "acknowledged": self.count,
            "resent": self.resent,
            "wrong": self.wrong,
            "took_s": time.monotonic() - began_s,
            "latest_ack_s": self.late_s,
            "panels_cpu_s": time.process_time() - used_s,
            "burglaries": self.burglaries,
        }

    async def _at_moments(
        self, accounts: list[str], said: str, lanes: list[Lane], began_s: float
    ) -> None:
        step_s = self.order["over_s"] / max(len(accounts), 1)
        for number, account in enumerate(accounts):
            due_s = began_s + number * step_s
            wait_s = due_s - time.monotonic()
            if wait_s > 0.001:
                await asyncio.sleep(wait_s)
            lane = lanes[number % len(lanes)]
            lane.due.append((due_s, account, said))
            lane.more.set()


def _frame(account: str, said: str) -> bytes:
    now = datetime.now(UTC)
    return encode("SIA-DCS", 1, account, "", "0", f"#{account}|Nri1/{said}1", None, now)


if __name__ == "__main__":
    storm = json.loads(sys.stdin.readline())
    print(json.dumps("ready"), flush=True)
    sys.stdin.readline()

    async def _run() -> dict[str, Any]:
        return await Storm(storm).run()

    print(json.dumps(uvloop.run(_run())), flush=True)
