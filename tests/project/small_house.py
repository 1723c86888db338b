"""A supervisor whose processes are small stand-ins; run by test_supervisor.py as a process.

usage: small_house.py VAR WEB_PORT [NAME=HABIT …], HABIT one of mute, deaf, dies
"""

import sys
from pathlib import Path

from meldkamer.project.supervisor import Plan, Supervisor

STAND_IN = """
import http.server, signal, sys, time
from meldkamer.project.childhood import follow_parent, say_ready
follow_parent()
name, habit, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
if habit == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if habit == "dies":
    sys.exit(7)
print(name, "speaks", flush=True)
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *words):
        pass
if name == "web":
    server = http.server.HTTPServer(("127.0.0.1", port), Answer)
if habit != "mute":
    say_ready()
if name == "web":
    server.serve_forever()
time.sleep(120)
"""


class SmallHouse(Supervisor):
    """Everything of the supervisor, with stand-ins for the product's processes."""

    habits: dict[str, str] = {}

    def _commands(self) -> list[tuple[str, list[str]]]:
        port = str(self.plan.web_port)
        return [
            (name, [sys.executable, "-c", STAND_IN, name, self.habits.get(name, ""), port])
            for name in ("receive", "work", "web", "city")
        ]

    def _once(self, name: str, extra: dict[str, str], *arguments: str) -> None:
        self.say("run", f"{name} {' '.join(arguments)}")


if __name__ == "__main__":
    SmallHouse.habits = dict(word.split("=") for word in sys.argv[3:])
    plan = Plan(web_port=int(sys.argv[2]), dc09_port=1)
    sys.exit(SmallHouse(plan, Path(sys.argv[1])).run())
