"""Frames collected from the field and from other people's tests, against the desk's decoder."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from meldkamer.wire import decode_text

VECTORS = Path(__file__).parent / "vectors"
DISPUTED = {
    (entry["file"], entry["n"]): entry
    for entry in json.loads((VECTORS / "disputed.json").read_text(encoding="utf-8"))
}


def _load() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path.name, line, json.loads(line))
        for path in sorted(VECTORS.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").split("\n")
        if line
    ]


ALL = _load()


def differences(decoded: dict[str, Any], expect: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Every key of `expect` that the decoder answers otherwise."""
    found = {}
    for key, wanted in expect.items():
        ours = decoded.get(key, "<missing>")
        if key == "reasons":
            same = [_words(word) for word in ours] == [_words(word) for word in wanted]
        else:
            same = ours == wanted
        if not same:
            found[key] = (wanted, ours)
    return found


def _words(reason: str) -> str:
    # Some vectors state the right CRC or length with the reason, some do not.
    return re.sub(r" \(computed [0-9A-F]{4}\)$", "", reason)


@pytest.mark.parametrize(
    ("name", "line", "vector"), ALL, ids=[f"{name}-{vector['n']}" for name, _, vector in ALL]
)
def test_a_vector_is_read_as_published(name: str, line: str, vector: dict[str, Any]) -> None:
    decoded = decode_text(line)
    dispute = DISPUTED.get((name, vector["n"]))
    found = differences(decoded, vector["expect"])
    if dispute is None:
        assert found == {}
    else:
        assert set(found) == set(dispute["keys"]), "a dispute names exactly what differs"
        assert differences(decoded, dispute["ours"]) == {}


def test_all_vectors_are_there() -> None:
    counts: dict[str, int] = {}
    for name, _, _ in ALL:
        counts[name] = counts.get(name, 0) + 1
    assert counts == {
        "dc09.jsonl": 329,
        "dc09-plaintext.jsonl": 7,
        "dc09-stream.jsonl": 4,
        "foreign.jsonl": 5,
        "template.jsonl": 1,
    }


def test_the_disputed_downgrade_is_refused_once_the_key_is_known() -> None:
    line = next(line for name, line, vector in ALL if (name, vector["n"]) == ("dc09.jsonl", 400))
    vector = json.loads(line) | {"key": "hex:0123456789ABCDEF0123456789ABCDEF"}
    assert differences(decode_text(json.dumps(vector)), vector["expect"]) == {}


def test_a_key_block_is_never_shown() -> None:
    for name, line, _ in ALL:
        if "[K" in line:
            decoded = json.dumps(decode_text(line))
            assert "AAAAAAAAAAAAAAAA" not in decoded, name
            assert "[redacted]" in decoded


@pytest.mark.parametrize(
    ("key", "value"), [("verdict", "accept-lenient"), ("seq", "0002"), ("sia", {"code": "BB"})]
)
def test_the_comparison_notices_a_wrong_expectation(key: str, value: object) -> None:
    line = next(line for _, line, vector in ALL if vector["n"] == 54)
    vector = json.loads(line)
    assert differences(decode_text(line), vector["expect"]) == {}
    assert set(differences(decode_text(line), vector["expect"] | {key: value})) == {key}
