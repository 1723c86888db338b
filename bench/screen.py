"""From the frame to the eye: when does an alarm's row stand in an operator's browser?

The whole product runs (`meldkamer run`, city off) with its own state directory; a real browser is
logged in at the console; frames of demo panels are sent at a steady rate (open loop: a late answer
does not slow the sender). A frame's clock starts when it is written to the socket; it stops when
the page's own observer sees the row. Bound of the same run: the acknowledgement of the same frame.
Prints p50, p99, worst and the ratio, and leaves var/bench/screen.json.
"""

import argparse
import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

#: free rows that the console draws at most; a round stays below
DRAWN = 140
KINDS = ("BA", "FA", "PA", "MA", "TA")
TYPES = {"BA": "intrusion", "FA": "fire", "PA": "holdup", "MA": "medical", "TA": "sabotage"}
_OBSERVER = """() => {
  window.seen = {};
  const look = () => {
    const at = Date.now();
    for (const row of document.querySelectorAll('[data-incident]')) {
      if (!(row.dataset.incident in window.seen)) window.seen[row.dataset.incident] = at;
    }
  };
  look();
  new MutationObserver(look).observe(document.body, {childList: true, subtree: true});
}"""


def main() -> int:
    """Start the product, measure, stop it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=50.0, help="alarms a second")
    parser.add_argument("--alarms", type=int, default=280)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="meldkamer-bench-") as directory:
        run = _start(directory)
        try:
            figures = _measure(Path(directory), options.rate, options.alarms)
        finally:
            run.send_signal(signal.SIGINT)
            run.wait(20)
    for name, figure in figures.items():
        print(f"{name:<48} {figure:>10,.1f}")
    from meldkamer.project import paths

    target = paths.made(paths.var_dir() / "bench")
    (target / "screen.json").write_text(json.dumps(figures, indent=1) + "\n")
    return 0


def _start(directory: str) -> subprocess.Popen[bytes]:
    environ = {**os.environ, "MELDKAMER_VAR": directory}
    environ.pop("DATABASE_URL", None)
    command = [sys.executable, "-m", "meldkamer.project.cli", "run", "--city", "off"]
    run = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=sys.stderr)
    deadline = time.monotonic() + 120
    state = Path(directory) / "run.json"
    while time.monotonic() < deadline:
        if run.poll() is not None:
            raise SystemExit("meldkamer run ended before it was ready")
        if state.is_file() and json.loads(state.read_text()).get("ready"):
            return run
        time.sleep(0.1)
    raise SystemExit("meldkamer run was not ready within 120 s")


def _measure(directory: Path, rate: float, alarms: int) -> dict[str, float]:
    from playwright.sync_api import sync_playwright

    state = json.loads((directory / "run.json").read_text())
    web = str(state["web"])
    logins = json.loads((directory / "demo-logins.json").read_text())
    operator = next(row for row in logins if row["role"] == "operator")
    orders = _orders(directory, alarms)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1920, "height": 1080})
        page.goto(web)
        page.fill("input[name=login]", operator["username"])
        page.fill("input[name=password]", operator["password"])
        page.keyboard.press("Enter")
        page.wait_for_timeout(3000)
        page.evaluate(_OBSERVER)
        port = int(state["dc09"]["tcp"])
        sent = {}
        with ThreadPoolExecutor(1) as sender:
            for begin in range(0, len(orders), DRAWN):
                part = orders[begin : begin + DRAWN]
                sent |= sender.submit(asyncio.run, _send(part, port, rate)).result()
                page.wait_for_timeout(4000)
                _clear(directory)
                page.wait_for_timeout(1000)
        seen: dict[str, int] = page.evaluate("() => window.seen")
        browser.close()
    return _figures(directory, sent, seen, rate)


def _clear(directory: Path) -> None:
    """Close what is open, as if operators had: the console draws so many free rows, no more."""
    _query(
        directory,
        "WITH done AS (UPDATE incidents_incident SET state = 'closed', closed_at = now(),"
        " outcome = 'handled', owner = NULL, due = NULL, holder_id = NULL"
        " WHERE closed_at IS NULL RETURNING id), struck AS (UPDATE agenda_agendarow"
        " SET done_at = now() WHERE done_at IS NULL AND kind = 'incident.due' RETURNING id)"
        " SELECT (SELECT count(*) FROM done), (SELECT count(*) FROM struck),"
        " pg_notify('meldkamer_incident', 'notices')",
    )


def _orders(directory: Path, alarms: int) -> list[tuple[str, str, str]]:
    """(account, code, line) of plain transmitters in force, each pair once."""
    rows = _query(
        directory,
        "SELECT t.account, t.line FROM sites_transmitter t JOIN sites_site s ON s.id = t.site_id"
        " WHERE t.key_sealed IS NULL AND t.active"
        " AND s.in_force_from IS NOT NULL AND s.types IS NULL",
    )
    orders = [(str(row[0]), code, str(row[1]) or "0") for code in KINDS for row in rows]
    if len(orders) < alarms:
        print(f"only {len(orders)} different alarms in the demo, {alarms} were asked for")
    return orders[:alarms]


async def _send(
    orders: list[tuple[str, str, str]], port: int, rate: float
) -> dict[tuple[str, str], tuple[float, float]]:
    """When each frame was written and acknowledged, in seconds since the epoch."""
    sent: dict[tuple[str, str], tuple[float, float]] = {}

    async def one(number: int, account: str, code: str, line: str) -> None:
        from meldkamer.wire import encode

        frame = encode(
            "SIA-DCS", number % 9999 + 1, account, line=line, data=f"#{account}|Nri1/{code}1"
        )
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        began = time.time()
        writer.write(frame)
        await asyncio.wait_for(reader.readuntil(b"\r"), 30)
        sent[account, code] = (began, time.time())
        writer.close()

    tasks = []
    start = time.monotonic()
    for number, (account, code, line) in enumerate(orders):
        await asyncio.sleep(max(0.0, start + number / rate - time.monotonic()))
        tasks.append(asyncio.create_task(one(number, account, code, line)))
    await asyncio.gather(*tasks)
    return sent


def _query(directory: Path, sql: str) -> list[tuple[Any, ...]]:
    import psycopg

    from meldkamer.project.postgres import production

    with psycopg.connect(production(directory).dsn()) as connection:
        return connection.execute(sql.encode()).fetchall()


def _figures(
    directory: Path,
    sent: dict[tuple[str, str], tuple[float, float]],
    seen: dict[str, int],
    rate: float,
) -> dict[str, float]:
    incidents = _query(
        directory,
        "SELECT i.id::text, t.account, i.type, extract(epoch FROM i.opened_at)::float8"
        " FROM incidents_incident i"
        " JOIN sites_transmitter t ON t.site_id = i.site_id",
    )
    number = {(account, kind): (id_, at) for id_, account, kind, at in incidents}
    shown, opened, missing = [], [], 0
    for (account, code), (began, _) in sent.items():
        id_, at = number.get((account, TYPES[code]), ("", 0.0))
        if id_ not in seen:
            missing += 1
        else:
            shown.append(seen[id_] - began * 1000)
            opened.append((at - began) * 1000)
    acked = [(after - before) * 1000 for before, after in sent.values()]
    if not shown:
        raise SystemExit("no row was seen: is the console's row still marked data-incident?")
    return {
        "alarms sent": len(sent),
        "rate /s": rate,
        "rows never seen": missing,
        "frame to ACK, p50 ms": statistics.median(acked),
        "frame to ACK, p99 ms": _p99(acked),
        "frame to incident opened, p50 ms": statistics.median(opened),
        "frame to incident opened, p99 ms": _p99(opened),
        "frame to row on screen, p50 ms": statistics.median(shown),
        "frame to row on screen, p99 ms": _p99(shown),
        "frame to row on screen, worst ms": max(shown),
        "ratio screen p50 to ACK p50": statistics.median(shown) / statistics.median(acked),
    }


def _p99(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * 0.99))]


if __name__ == "__main__":
    sys.exit(main())
