"""Check or show a provider's terms.

  meldkamer terms check [NAME|FILE …]     does it hold together? (default: all that are shipped)
  meldkamer terms show NAME|FILE [--json] every value, with its key

Exit 1 when a file is refused; each fault names the file, the key and what was expected.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def arguments(parser: argparse.ArgumentParser) -> None:
    """check | show."""
    acts = parser.add_subparsers(dest="act", required=True, metavar="check|show")
    check = acts.add_parser("check", help="say whether terms hold together")
    check.add_argument("terms", nargs="*", metavar="NAME|FILE")
    show = acts.add_parser("show", help="print every value")
    show.add_argument("terms", nargs=1, metavar="NAME|FILE")
    show.add_argument("--json", action="store_true")


def run(options: argparse.Namespace) -> int:
    """Read each; 1 when one is refused."""
    from meldkamer.terms import loader

    refused = 0
    for named in options.terms or loader.shipped():
        try:
            terms = loader.read(Path(named)) if named.endswith(".toml") else loader.load(named)
        except loader.TermsFault as fault:
            print(fault, file=sys.stderr)
            refused += 1
            continue
        if options.act == "check":
            print(f"{terms.name} {terms.version}: holds together")
        else:
            _show(terms, as_json=options.json)
    return 1 if refused else 0


def _show(terms: Any, *, as_json: bool) -> None:
    import msgspec

    plain = msgspec.to_builtins(terms)
    if as_json:
        print(json.dumps(plain, ensure_ascii=False, indent=2))
    else:
        print("\n".join(_lines("", plain)))


def _lines(where: str, value: Any) -> Iterator[str]:
    """`key.key = value`, one a line; entries of a list that have an id or a name go by it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _lines(f"{where}.{key}" if where else str(key), inner)
    elif isinstance(value, list) and any(isinstance(inner, dict) for inner in value):
        for number, inner in enumerate(value, 1):
            yield from _lines(f"{where}[{inner.get('id') or inner.get('name') or number}]", inner)
    else:
        yield f"{where} = {json.dumps(value, ensure_ascii=False)}"
