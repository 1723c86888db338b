"""Check or show a provider's terms.

  meldkamer terms check [NAME|FILE …]     does it hold together? (default: all that are shipped)
  meldkamer terms show NAME|FILE [--json] every value, with its key
  meldkamer terms diff OLD NEW            what differs, procedures in words

`check` reads the file, holds its procedures against the law, and walks every way through them.
Exit 1 when a file is refused; each fault names the file, the key and what was expected. `diff`
exits with 1 when something differs.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def arguments(parser: argparse.ArgumentParser) -> None:
    """check | show | diff."""
    acts = parser.add_subparsers(dest="act", required=True, metavar="check|show|diff")
    check = acts.add_parser("check", help="say whether terms hold together")
    check.add_argument("terms", nargs="*", metavar="NAME|FILE")
    show = acts.add_parser("show", help="print every value")
    show.add_argument("terms", nargs=1, metavar="NAME|FILE")
    show.add_argument("--json", action="store_true")
    diff = acts.add_parser("diff", help="tell what differs between two")
    diff.add_argument("terms", nargs=2, metavar="NAME|FILE")


def run(options: argparse.Namespace) -> int:
    """Read each; 1 when one is refused."""
    from meldkamer.terms import loader

    read: list[Any] = []
    for named in options.terms or loader.shipped():
        try:
            read.append(loader.read(Path(named)) if named.endswith(".toml") else loader.load(named))
        except loader.TermsFault as fault:
            print(fault, file=sys.stderr)
    refused = len(options.terms or loader.shipped()) - len(read)
    if options.act == "diff":
        return 1 if refused or _diff(*read) else 0
    for terms in read:
        if options.act == "check":
            refused += not _sound(terms)
        else:
            _show(terms, as_json=options.json)
    return 1 if refused else 0


def _sound(terms: Any) -> bool:
    """Whether every procedure can be worked, whoever answers what; says what cannot."""
    from meldkamer.rules import soundness

    found = [
        (procedure.name, finding)
        for procedure in terms.procedures
        for finding in soundness.check(procedure, soundness.sample_site(terms), base=procedure)
    ]
    for name, finding in found:
        where = f"{terms.name}: procedure {name}{f', step {finding.item}' if finding.item else ''}"
        out = sys.stderr if finding.refused else sys.stdout
        print(f"{where}: {'' if finding.refused else 'mind: '}{finding.reason}", file=out)
    refused = any(finding.refused for _name, finding in found)
    if not refused:
        print(f"{terms.name} {terms.version}: holds together")
    return not refused


def _diff(old: Any, new: Any) -> bool:
    """Prints what differs; whether anything does."""
    import msgspec

    from meldkamer.rules.differences import differences

    without = ("name", "version", "procedures")
    plain = [
        {k: v for k, v in msgspec.to_builtins(terms).items() if k not in without}
        for terms in (old, new)
    ]
    before, after = (dict(line.split(" = ", 1) for line in _lines("", one)) for one in plain)
    lines = [
        f"{key}: {before.get(key, 'nothing')} → {after.get(key, 'nothing')}"
        for key in dict.fromkeys([*before, *after])
        if before.get(key) != after.get(key)
    ]
    named = {procedure.name: procedure for procedure in new.procedures}
    for procedure in old.procedures:
        other = named.pop(procedure.name, None)
        if other is None:
            lines.append(f"procedure {procedure.name}: removed")
        else:
            told = differences(procedure, other)
            lines += [f"procedure {procedure.name}: {difference}" for difference in told]
    lines += [f"procedure {name}: added" for name in named]
    print("\n".join(lines) if lines else "nothing differs")
    return bool(lines)


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
