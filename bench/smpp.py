"""Texts a second over SMPP: our carrier with windows of 1, 10 and 50, against smpplib's own loop.

`python -m bench.smpp [--rounds N] [--seconds S]`. The carrier alone: no outbox, no database. The
peer sends a text and reads its answer, one after the other, as smpplib's documentation shows it.
The SMS centre is `smpp34.Server` in a process of its own, once answering at once and once after
20 ms, as one across the internet does. Rounds of ours and of the peer alternate, so that a
neighbour's load meets both; each row is the median. Every text must have a number of its own.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import count

from smpplib import client, consts

from bench.sms_centre import centre
from meldkamer.notify.carrier import Parcel, ReceiptState
from meldkamer.notify.sms.arriving import Arrival, Connection
from meldkamer.notify.sms.smpp import SmppCarrier
from meldkamer.notify.sms.smpp_settings import SmppSettings
from meldkamer.project import paths
from tests.peers import free_port

DELAYS_MS = (0, 20)
WINDOWS = (1, 10, 50)
TEXT = "securitas: batterijspanning te laag bij Bakkerij Peeters. Antwoord ok om te bevestigen."
NUMBER = "+32470000001"
PEER = "smpplib, one at a time"


class Deaf:
    """Nothing comes back here."""

    carrier_id = 1

    def reply(self, sender: str, text: str, *, to: str = "", ref: str = "") -> None:
        raise AssertionError("nobody texts us in this bench")

    def receipt(self, ref: str, state: ReceiptState, *, detail: str = "") -> None:
        raise AssertionError("this centre sends no receipts")

    def store(self, arrival: Arrival, over: Connection) -> int:
        raise AssertionError("nobody texts us in this bench")

    def answered(self, arrival_id: int) -> None:
        raise AssertionError("nobody texts us in this bench")

    def leave(self) -> None:
        return


def ours(port: int, window: int, seconds: float) -> float:
    """Texts a second through the carrier, from as many threads as its window."""
    settings = SmppSettings(
        host="127.0.0.1", port=port, system_id="arc", sender="+32460001122", window=window,
        receipts=False,
    )  # fmt: skip
    deaf = Deaf()
    carrier = SmppCarrier(settings, "", deaf, deaf)
    carrier.open()
    numbers = count(1)
    until_s = time.monotonic() + seconds

    def one_thread() -> list[str]:
        refs = []
        while time.monotonic() < until_s:
            refs.append(carrier.send(_parcel(next(numbers))))
        return refs

    started_s = time.monotonic()
    with ThreadPoolExecutor(window) as pool:
        found = [one.result() for one in [pool.submit(one_thread) for _ in range(window)]]
    took_s = time.monotonic() - started_s
    carrier.close()
    return _rate([ref for refs in found for ref in refs], took_s)


def peer(port: int, seconds: float) -> float:
    """Texts a second through smpplib's client."""
    refs: list[str] = []
    logging.getLogger("bench.peer").setLevel(logging.ERROR)
    one = client.Client("127.0.0.1", port, allow_unknown_opt_params=True, logger_name="bench.peer")
    one.set_message_sent_handler(lambda pdu: refs.append(pdu.message_id.decode()))
    one.connect()
    one.bind_transceiver(system_id="arc", password="")
    started_s = time.monotonic()
    while time.monotonic() < started_s + seconds:
        one.send_message(
            source_addr_ton=consts.SMPP_TON_INTL, source_addr_npi=consts.SMPP_NPI_ISDN,
            source_addr="32460001122", dest_addr_ton=consts.SMPP_TON_INTL,
            dest_addr_npi=consts.SMPP_NPI_ISDN, destination_addr=NUMBER[1:],
            short_message=TEXT.encode(), data_coding=0, esm_class=0, registered_delivery=0,
        )  # fmt: skip
        one.read_once()
    took_s = time.monotonic() - started_s
    one.disconnect()
    return _rate(refs, took_s)


def _rate(refs: list[str], took_s: float) -> float:
    assert refs, "nothing was sent"
    assert len(set(refs)) == len(refs), "two texts have one number"
    return len(refs) / took_s


def _parcel(number: int) -> Parcel:
    return Parcel(
        id=number, channel="sms", template="ladder", address=NUMBER, recipient="An", language="nl",
        subject="", body=TEXT, provider_id=1, site_id=1, incident_id=1, contact_id=1,
        created_at=datetime.now(UTC), attempt=1,
    )  # fmt: skip


def measure(rounds: int, seconds: float) -> dict[str, dict[str, float]]:
    """Medians: centre → who → texts a second."""
    found: dict[str, dict[str, float]] = {}
    for delay_ms in DELAYS_MS:
        port = free_port()
        with centre(port, delay_ms):
            found[f"answers after {delay_ms} ms"] = _at(port, rounds, seconds)
    return found


def _at(port: int, rounds: int, seconds: float) -> dict[str, float]:
    runs: dict[str, Callable[[], float]] = {PEER: lambda: peer(port, seconds)}
    for window in WINDOWS:
        runs[f"ours, window {window}"] = lambda window=window: ours(port, window, seconds)  # type: ignore[misc]
    rates: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            rates[name].append(run())
    return {name: statistics.median(found) for name, found in rates.items()}


def main() -> int:
    """Print the table and leave the figures in var/bench."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.5)
    options = parser.parse_args()
    found = measure(options.rounds, options.seconds)
    for situation, rates in found.items():
        print(f"\nSMS centre {situation}")
        for name, rate in rates.items():
            print(f"  {name:<26} {rate:>9,.0f} texts/s   {rate / rates[PEER]:>6.2f} x")
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    folder = paths.made(paths.var_dir() / "bench")
    at = datetime.now(UTC).isoformat(timespec="seconds")
    (folder / "smpp.json").write_text(
        json.dumps({"at": at, "machine": machine, "texts/s": found}, indent=2) + "\n", "utf-8"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
