"""`meldkamer journal export --json`."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from meldkamer.journal.export import ExportFault, lines, read_since
from meldkamer.journal.records import NOISE
from meldkamer.journal.store import store, store_signals
from tests.journal.conftest import Connection
from tests.journal.samples import NOW, frame, signal


@pytest.fixture
def filled(app: Connection) -> Connection:
    """Two signals in one frame, a retry, noise, another account, and one of the watch."""
    with app.transaction(), app.cursor() as cursor:
        [first, *_] = store(
            cursor,
            [
                frame(signals=(signal(), signal("FA", "fire", zone="7"))),
                frame(after_s=1),
                frame(None, after_s=2, raw=b"\n\xff\x00", disposition=NOISE, account="", seq="",
                      reasons=["CRC mismatch"], signals=(), site_id=None),
                frame(b"k9", after_s=3, account="ABC", signals=(signal(account="ABC"),)),
            ],
        )  # fmt: skip
        store_signals(cursor, NOW + timedelta(seconds=4), [signal("RX", "line_test")])
        cursor.execute(
            "INSERT INTO incidents_verdict (signal_id, at, verdict, reason, clause)"
            " VALUES (%s, %s, 'opened', 'not armed', 'M1.2')",
            [first.signal_ids[0], NOW],
        )
    return app


def test_each_signal_and_each_frame_without_one_is_a_line(filled: Connection) -> None:
    found = list(lines(filled))
    assert [(line["code"], line["verdict"], line["clause"]) for line in found] == [
        ("BA", "opened", "M1.2"),
        ("FA", None, None),
        (None, "duplicate", None),
        (None, "noise", None),
        ("BA", None, None),
        ("RX", None, None),
    ]
    assert found[0]["raw"] == frame().raw.decode("latin-1")
    assert found[0]["received_at"] == "2026-03-02T21:00:00+00:00"
    assert found[1]["zone"] == "7"
    assert found[3] | {"received_at": ""} == {
        "received_at": "", "account": "", "seq": "", "raw": "\n\xff\x00", "verdict": "noise",
        "id": None, "site": None, "code": None, "type": None, "zone": None,
        "disposition": "noise", "reason": "CRC mismatch", "clause": None,
    }  # fmt: skip
    assert found[5]["raw"] is None


def test_since_and_account_narrow_it_down(filled: Connection) -> None:
    assert [line["account"] for line in lines(filled, account="abc")] == ["ABC"]
    late = lines(filled, since=NOW + timedelta(seconds=3))
    assert [line["code"] for line in late] == ["BA", "RX"]
    assert len(list(lines(filled, since=NOW + timedelta(seconds=4), account="1234"))) == 1


def test_since_says_what_it_expects() -> None:
    assert read_since("2026-03-01").tzinfo is not None
    assert read_since("2026-03-01T01:00:00+01:00").isoformat() == "2026-03-01T01:00:00+01:00"
    with pytest.raises(ExportFault, match="'yesterday' is no moment; expected ISO 8601"):
        read_since("yesterday")


def test_the_command_prints_one_object_a_line(
    filled: Connection, run_meldkamer: Callable[..., tuple[int, str]]
) -> None:
    code, said = run_meldkamer("journal", "export", "--json", "--account", "1234")
    assert code == 0
    found = [json.loads(line) for line in said.splitlines()]
    assert [line["code"] for line in found] == ["BA", "FA", None, "RX"]
    assert run_meldkamer("journal", "export", "--json", "--since", "soon")[0] == 2
