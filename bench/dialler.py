"""The load generator: many panels in one process, as cheap as Python can be.

`python -m bench.dialler` reads one JSON order from standard input, prints one JSON line when its
frames are ready ("ready"), starts when it is sent a line, and prints the figures. Frames are made
beforehand; an answer counts only when it is an ACK that repeats the frame's own sequence and
account. Its own processor time is part of the figures, because it shares the machine.
"""

import asyncio
import json
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import uvloop

from meldkamer.wire.encoder import encode

#: an answer that does not come is a failure of the run, not a number to be left out
LIMIT_S = 60.0
RESEND_S = 1.0


@dataclass(slots=True)
class Slot:
    """One panel: its frames, and when each of the unanswered ones was (to be) sent."""

    frames: list[bytes]
    expects: list[bytes]
    next: int = 0
    waiting: deque[tuple[int, float]] = field(default_factory=deque)
    transport: Any = None
    sent_s: float = 0.0


class Run:
    """A run over TCP or UDP: closed loop (one in flight each) or open loop (at a rate)."""

    def __init__(self, order: dict[str, Any]) -> None:
        self.order = order
        self.slots = [Slot(*_frames(order, number)) for number in range(order["panels"])]
        self.total = sum(len(slot.frames) for slot in self.slots)
        self.latencies_s: list[float] = []
        self.wrong = self.resent = 0
        self.done = asyncio.Event()

    async def connect(self) -> None:
        """Open a socket per panel."""
        loop = asyncio.get_running_loop()
        address = ("127.0.0.1", self.order["port"])
        for slot in self.slots:
            if self.order["transport"] == "tcp":
                await loop.create_connection(lambda slot=slot: _Stream(self, slot), *address)
            else:
                await loop.create_datagram_endpoint(
                    lambda slot=slot: _Datagrams(self, slot), remote_addr=address
                )

    async def measure(self) -> dict[str, Any]:
        """Send everything, wait for every answer."""
        began_s, used_s = time.perf_counter(), time.process_time()
        rate = self.order.get("rate")
        sending = asyncio.create_task(self._at_rate(rate) if rate else self._closed())
        try:
            async with asyncio.timeout(LIMIT_S):
                await self.done.wait()
        except TimeoutError:
            pass  # the figures say how many are missing
        took_s = time.perf_counter() - began_s
        used_s = time.process_time() - used_s
        sending.cancel()
        found = sorted(self.latencies_s)
        return {
            "asked": self.total,
            "acknowledged": len(found),
            "wrong": self.wrong,
            "resent": self.resent,
            "per_s": len(found) / took_s,
            "took_s": took_s,
            "generator_cpu_s": used_s,
            "p50_ms": _at(found, 0.50),
            "p99_ms": _at(found, 0.99),
            "max_ms": _at(found, 1.0),
        }

    async def _closed(self) -> None:
        for slot in self.slots:
            self.send(slot, time.perf_counter())
        while self.order["transport"] == "udp":  # datagrams may be lost: panels ask again
            await asyncio.sleep(RESEND_S / 4)
            now_s = time.perf_counter()
            for slot in self.slots:
                if slot.waiting and now_s - slot.sent_s > RESEND_S:
                    self.resent += 1
                    slot.sent_s = now_s
                    slot.transport.sendto(slot.frames[slot.waiting[0][0]])

    async def _at_rate(self, rate: float) -> None:
        """Due times are fixed beforehand and latency counts from them, however late we are."""
        began_s = time.perf_counter()
        for number in range(self.total):
            due_s = began_s + number / rate
            wait_s = due_s - time.perf_counter()
            if wait_s > 0.0005:
                await asyncio.sleep(wait_s)
            self.send(self.slots[number % len(self.slots)], due_s)

    def send(self, slot: Slot, since_s: float) -> None:
        """Send a panel's next frame, if it has one."""
        index = slot.next
        if index >= len(slot.frames):
            return
        slot.next = index + 1
        slot.waiting.append((index, since_s))
        slot.sent_s = since_s
        if self.order["transport"] == "tcp":
            slot.transport.write(slot.frames[index])
        else:
            slot.transport.sendto(slot.frames[index])

    def answered(self, slot: Slot, reply: bytes) -> None:
        """Count an answer if it is the right one, and go on."""
        now_s = time.perf_counter()
        if not slot.waiting:
            return  # the answer to a datagram that was sent twice
        index, since_s = slot.waiting[0]
        if slot.expects[index] not in reply:
            self.wrong += 1
            return
        slot.waiting.popleft()
        self.latencies_s.append(now_s - since_s)
        if len(self.latencies_s) == self.total:
            self.done.set()
        elif not self.order.get("rate"):
            self.send(slot, now_s)


class _Stream(asyncio.Protocol):
    def __init__(self, run: Run, slot: Slot) -> None:
        self.run, self.slot = run, slot
        self.rest = b""

    def connection_made(self, transport: Any) -> None:
        self.slot.transport = transport

    def data_received(self, data: bytes) -> None:
        *whole, self.rest = (self.rest + data).split(b"\r")
        for reply in whole:
            self.run.answered(self.slot, reply)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, run: Run, slot: Slot) -> None:
        self.run, self.slot = run, slot

    def connection_made(self, transport: Any) -> None:
        self.slot.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.run.answered(self.slot, data)


def _frames(order: dict[str, Any], number: int) -> tuple[list[bytes], list[bytes]]:
    """A panel's frames and what an ACK of each must hold."""
    account = f"{order['first_account'] + number:04X}"
    key = order["key"].encode() if order["key"] else None
    now = datetime.now(UTC)
    frames, expects = [], []
    for count in range(order["frames"] // order["panels"]):
        seq = (order["first_seq"] + count) % 9999 + 1
        data = f"#{account}|Nri{count % 4}/BA{count % 97 + 1}"
        frames.append(encode("SIA-DCS", seq, account, "1", "1", data, key, now))
        star = "*" if key else ""
        expects.append(f'"{star}ACK"{seq:04d}R1L1#{account}['.encode())
    return frames, expects


def _at(ordered: list[float], share: float) -> float | None:
    if not ordered:
        return None
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000


async def _main(order: dict[str, Any]) -> dict[str, Any]:
    run = Run(order)
    await run.connect()
    print(json.dumps("ready"), flush=True)
    sys.stdin.readline()
    return await run.measure()


if __name__ == "__main__":
    order = json.loads(sys.stdin.readline())
    print(json.dumps(uvloop.run(_main(order))), flush=True)
