"""meldkamer bench: runs the measuring programs of the checkout, one after the other.

Each prints its table with ratios against a peer or a bound taken in the same run, and leaves its
figures in var/bench/. They measure; none of them passes or fails on a time.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence

from meldkamer.project import paths

PARTS = {
    "wire": "decode and reply, no sockets",
    "intake": "acknowledged after commit, against pysiaalarm",
    "judge": "signals judged",
    "watch": "line tests of 1,000,000 transmitters",
    "storm": "100,000 power failures in a minute, and a burglary a second among them",
    "messages": "messages a second through the outbox, by channel",
    "ladders": "5,000 SMS ladders at once, over SMPP",
    "smpp": "texts a second over SMPP, against smpplib's own loop",
    "screen": "frame received to row visible in a browser",
}


def main(argv: Sequence[str]) -> int:
    """0 when every part that was asked for ran to its end."""
    parser = argparse.ArgumentParser(prog="meldkamer bench", description=__doc__)
    parser.add_argument("part", nargs="*", metavar="PART", help=f"one of: {', '.join(PARTS)}")
    options = parser.parse_args(list(argv))
    unknown = sorted(set(options.part) - set(PARTS))
    if unknown:
        parser.error(f"no part {', '.join(unknown)}; expected {', '.join(PARTS)}")
    root = paths.checkout()
    if root is None or not (root / "bench").is_dir():
        print("meldkamer bench: needs the source checkout, with its bench/", file=sys.stderr)
        return 2
    failed = []
    for name in options.part or PARTS:
        print(f"\n== {name}: {PARTS[name]}", flush=True)
        if subprocess.run(
            [sys.executable, "-m", f"bench.{name}"], cwd=root, check=False
        ).returncode:
            failed.append(name)
    if failed:
        print(f"did not run to the end: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0
