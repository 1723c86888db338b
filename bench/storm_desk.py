"""A desk without eyes: it listens as the browser does and notes when a row stands in the queue.

`python -m bench.storm_desk HOST:PORT COOKIE SECONDS` prints "ready" once the line stands, and at
its end one line of JSON: for each incident the moment at which its row was in the queue that was
fetched, and how long the fetches took. It follows the desk's own script: many changes are one
fetch, and between two fetches lie 120 ms at least.
"""

import http.client
import json
import re
import sys
import threading
import time
from typing import Any

LEAST_S = 0.120
_ROW = re.compile(r'data-incident="(\d+)"')


class DeskWithoutEyes:
    """One console: a thread that listens and one that fetches."""

    def __init__(self, address: str, cookie: str) -> None:
        self.address = address
        self.headers = {"Cookie": f"meldkamer_session={cookie}", "HX-Request": "true"}
        self.seen: dict[str, float] = {}
        self.fetches_s: list[float] = []
        self.counts = {"change": 0, "hello": 0, "gone": 0}
        self.wanted = threading.Event()
        self.ready = threading.Event()

    def run(self, seconds: float) -> dict[str, Any]:
        """Listen for so long."""
        for work in (self._listen, self._fetch):
            threading.Thread(target=work, daemon=True).start()
        if not self.ready.wait(60):
            raise SystemExit("the desk's line did not stand within 60 s")
        print(json.dumps("ready"), flush=True)
        time.sleep(seconds)
        return {"seen": self.seen, "fetches_s": self.fetches_s, **self.counts}

    def _listen(self) -> None:
        while True:
            connection = http.client.HTTPConnection(self.address, timeout=60)
            try:
                connection.request("GET", "/stream/", headers=self.headers)
                answer = connection.getresponse()
                while line := answer.readline():
                    self._hear(line.strip())
            except (OSError, http.client.HTTPException):
                pass  # counted below: the line went, as a browser would see it
            self.counts["gone"] += 1
            time.sleep(1.0)

    def _hear(self, line: bytes) -> None:
        if line in (b"event: change", b"event: hello"):
            self.counts[line[7:].decode()] += 1
            self.ready.set()
            self.wanted.set()

    def _fetch(self) -> None:
        connection = http.client.HTTPConnection(self.address, timeout=60)
        while True:
            self.wanted.wait()
            self.wanted.clear()
            began_s = time.monotonic()
            connection.request("GET", "/queue/", headers=self.headers)
            answer = connection.getresponse()
            text = answer.read().decode()
            if answer.status != http.client.OK:
                raise SystemExit(f"the queue answered {answer.status}")
            now = time.time()
            for number in _ROW.findall(text):
                self.seen.setdefault(number, now)
            took_s = time.monotonic() - began_s
            self.fetches_s.append(took_s)
            time.sleep(max(0.0, LEAST_S - took_s))


if __name__ == "__main__":
    desk = DeskWithoutEyes(sys.argv[1], sys.argv[2])
    print(json.dumps(desk.run(float(sys.argv[3]))), flush=True)
