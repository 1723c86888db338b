"""Read frames, one a line, and say what each means and what the centre would answer.

A line is a JSON string, a JSON object with "frame" (and "key"), or the bare text of a frame.
A key is hex:… (32, 48 or 64 digits) or text:… (16, 24 or 32 characters); it is never shown.

  meldkamer decode --key hex:0123456789ABCDEF0123456789ABCDEF frames.txt
  printf '%s\\n' '1EF20013"NULL"0000L0#1234[]' | meldkamer decode --json

Exit 0 when every line could be read as a frame, whatever the verdict on it; else 2, the faulty
line named on stderr (with --json also as an object with "error" in its place).
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path


def arguments(parser: argparse.ArgumentParser) -> None:
    """Files, or standard input."""
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="default: stdin")
    parser.add_argument("--key", metavar="hex:…|text:…", help="for lines that name none")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(options: argparse.Namespace) -> int:
    """Decode every line; a faulty one does not stop the others."""
    from meldkamer.wire.decode import decode_text, parse_key
    from meldkamer.wire.decode_input import DecodeInputError
    from meldkamer.wire.human import format_human

    try:
        key = parse_key(options.key) if options.key else None
    except ValueError as fault:
        print(f"meldkamer decode: --{fault}", file=sys.stderr)
        return 2
    faulty = 0
    try:
        for number, line in _lines(options.files):
            try:
                decoded = decode_text(line, key)
            except DecodeInputError as fault:
                fault.line_number = number
                faulty += 1
                print(f"meldkamer decode: {fault}", file=sys.stderr)
                if options.json:
                    print(json.dumps(fault.as_dict()), flush=True)
            else:
                print(json.dumps(decoded) if options.json else format_human(decoded), flush=True)
    except BrokenPipeError:
        raise
    except OSError as fault:
        print(f"meldkamer decode: {fault.filename}: {fault.strerror}", file=sys.stderr)
        return 2
    return 2 if faulty else 0


def _lines(files: list[Path]) -> Iterator[tuple[int, str]]:
    """Every line with its number; blank ones are skipped. Bytes that are no UTF-8 stay bytes."""
    sources: list[Path | None] = [*files] or [None]
    for file in sources:
        with file.open("rb") if file else sys.stdin.buffer as source:
            for number, line in enumerate(source, 1):
                try:
                    text = line.decode("utf-8")
                except UnicodeDecodeError:
                    text = line.decode("latin-1")
                if text.strip():
                    yield number, text.rstrip("\r\n")
