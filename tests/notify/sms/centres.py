"""SMS centres on loopback that no one here wrote, and ears that remember.

`NodeCentre` is npm `smpp` (installed by scripts/debian-needs), told how to behave line by line.
"""

import hashlib
import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from meldkamer.notify.carrier import Parcel, ReceiptState
from meldkamer.notify.sms.arriving import Arrival, Connection
from meldkamer.notify.sms.smpp import SmppCarrier
from meldkamer.notify.sms.smpp_settings import SmppSettings
from meldkamer.project import paths
from tests.notify.sms.gateway import parcel
from tests.peers import until

__all__ = ["Heard", "NodeCentre", "a_carrier", "node_centre", "parcel"]

HERE = Path(__file__).parent / "centre"
PASSWORD = "geheim"


@dataclass
class Heard:
    """Ears and shelf at once: everything in order. `away` makes them fail, as a database does."""

    carrier_id: int = 1
    away: bool = False
    replies: list[Arrival] = field(default_factory=list)
    receipts: list[tuple[str, ReceiptState, str]] = field(default_factory=list)
    answered_ids: list[int] = field(default_factory=list)
    tried: int = 0

    def reply(self, sender: str, text: str, *, to: str = "", ref: str = "") -> None:
        raise AssertionError("a text of a person goes to the shelf")

    def receipt(self, ref: str, state: ReceiptState, *, detail: str = "") -> None:
        self._try()
        self.receipts.append((ref, state, detail))

    def store(self, arrival: Arrival, over: Connection) -> int:
        self._try()
        self.replies.append(arrival)
        return len(self.replies)

    def answered(self, arrival_id: int) -> None:
        self.answered_ids.append(arrival_id)

    def leave(self) -> None:
        return

    def _try(self) -> None:
        self.tried += 1
        if self.away:
            raise OSError("the database is away: ok ok ok")


class NodeCentre:
    """One process of the npm library."""

    def __init__(self, port: int = 0, tls: tuple[Path, Path] | None = None) -> None:
        self.said: list[dict[str, Any]] = []
        node = shutil.which("node") or pytest.fail("no node found; see scripts/debian-needs")
        self._process = subprocess.Popen(
            [node, str(HERE / "centre.js"), str(port), *map(str, tls or ())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "NODE_PATH": str(_modules())},
        )
        threading.Thread(target=self._listen, daemon=True).start()
        self.port = int(until(lambda: self.all("listening"), "the centre listens")[0])

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said.append(json.loads(line))

    def tell(self, **command: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()

    def behave(self, **how: Any) -> None:
        self.tell(behave=how)
        time.sleep(0.05)  # node reads its input in its own time

    def mo(self, text: str | bytes = b"", **fields: Any) -> None:
        """A person texts us; text in GSM octets."""
        octets = text.encode() if isinstance(text, str) else text
        self.tell(mo={"from": "32470000001", "octets": octets.hex(), "name": "mo", **fields})

    def all(self, key: str) -> list[Any]:
        return [one[key] for one in list(self.said) if key in one]

    def submitted(self, count: int = 1) -> list[Any]:
        """The texts that it got, once there are so many: it tells of them in its own time."""
        until(lambda: len(self.all("submitted")) >= count, f"{count} texts are at the centre")
        return self.all("submitted")

    def answers(self, name: str) -> list[int]:
        """The command_status of each of our answers to what it brought under that name."""
        return [one["status"] for one in self.all("answered") if one["name"] == name]

    def forget(self) -> None:
        self.said.clear()

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(5)


@contextmanager
def node_centre(port: int = 0, tls: tuple[Path, Path] | None = None) -> Iterator[NodeCentre]:
    centre = NodeCentre(port, tls)
    try:
        yield centre
    finally:
        centre.stop()


def _modules() -> Path:
    """Where scripts/debian-needs put the library: by the hash of its lock."""
    lock = hashlib.sha256(
        (HERE / "package.json").read_bytes() + (HERE / "package-lock.json").read_bytes()
    ).hexdigest()[:16]
    found = paths.cache_dir() / f"node-{lock}" / "node_modules"
    if not (found / "smpp").is_dir():
        pytest.fail("the SMS centre of the tests is not installed; see scripts/debian-needs")
    return found


@contextmanager
def a_carrier(
    port: int, heard: Heard | None = None, *, password: str = PASSWORD, **settings: Any
) -> Iterator[SmppCarrier]:
    """A carrier that is connected."""
    carrier = unopened(port, heard, password=password, **settings)
    try:
        carrier.open()
        yield carrier
    finally:
        carrier.close()


def unopened(
    port: int, heard: Heard | None = None, *, password: str = PASSWORD, **settings: Any
) -> SmppCarrier:
    heard = heard or Heard()
    fields: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": port,
        "system_id": "meldkamer",
        "sender": "+32460001122",
        "answer_s": 3.0,
    }
    return SmppCarrier(SmppSettings(**{**fields, **settings}), password, heard, heard)


def text_of(body: str, address: str = "+32470000001", id_: int = 77) -> Parcel:
    return parcel(body, address, id_)
