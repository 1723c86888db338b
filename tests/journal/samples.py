"""Frames and signals for the tests of the journal."""

from datetime import UTC, datetime, timedelta
from typing import Any

from meldkamer.journal.records import ACCEPTED, FrameRecord, SignalRecord, detail

NOW = datetime(2026, 3, 2, 21, 0, tzinfo=UTC)


def signal(code: str = "BA", type: str = "intrusion", **more: Any) -> SignalRecord:
    """A signal of site 1."""
    values: dict[str, Any] = {"role": "event", "site_id": 1, "account": "1234"}
    return SignalRecord(code=code, type=type, **(values | {"detail": detail("Burglary")} | more))


def frame(key: bytes | None = b"k1", after_s: float = 0, **more: Any) -> FrameRecord:
    """An accepted frame with one signal."""
    values: dict[str, Any] = {
        "received_at": NOW + timedelta(seconds=after_s),
        "transport": "tcp",
        "source": "192.0.2.7:4711",
        "raw": b'\nCRC"SIA-DCS"0001L0#1234[#1234|Nri1/BA5]\r',
        "disposition": ACCEPTED,
        "token": "SIA-DCS",
        "account": "1234",
        "seq": "0001",
        "reply": "ack",
        "dedup_key": key,
        "signals": (signal(),),
        "site_id": 1,
    }
    return FrameRecord(**(values | more))
