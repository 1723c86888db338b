"""Everything on this machine: an embedded PostgreSQL (or DATABASE_URL), receivers, workers, web.

The first start makes the database and fills it with the demo; a later one takes seconds. It
prints the web address, the logins and the receiver's ports when all of it really works. A
process that dies is started again. Ctrl-C stops everything, a second Ctrl-C at once.
Everything listens on 127.0.0.1 only.

environment: DATABASE_URL (any PostgreSQL 15 or newer), MELDKAMER_VAR (state directory),
MELDKAMER_WEB_PORT, MELDKAMER_DC09_PORT, MELDKAMER_WORKERS, MELDKAMER_MAIL_LISTEN, CITY=off,
DEMO=off
"""

import argparse
import os
import sys


def arguments(parser: argparse.ArgumentParser) -> None:
    """Flags win over the environment."""
    parser.add_argument("--web-port", type=int, help="default 8000, or the next free one")
    parser.add_argument(
        "--dc09-port", type=int, help="TCP and UDP; default 12000, or the next free one"
    )
    parser.add_argument("--workers", type=int, help="how many `meldkamer work`; default 1")
    parser.add_argument("--city", choices=("on", "off"), help="whether the demo's panels dial in")
    parser.add_argument("--demo", choices=("on", "off"), help="off: no demo tables, https cookies")


def run(options: argparse.Namespace) -> int:
    """Choose the ports, then hand over to the supervisor."""
    from meldkamer.project import paths
    from meldkamer.project.commands.mail import place
    from meldkamer.project.ports import PortFault
    from meldkamer.project.supervisor import Plan, Supervisor

    if listen := os.environ.get("MELDKAMER_MAIL_LISTEN"):
        place(listen)  # a fault in it is told before anything is started
    try:
        demo = _on("demo", options.demo or os.environ.get("DEMO"))
        plan = Plan(
            web_port=_port("web", options.web_port, "MELDKAMER_WEB_PORT", 8000),
            dc09_port=_port("DC-09", options.dc09_port, "MELDKAMER_DC09_PORT", 12000, udp=True),
            workers=_number("workers", options.workers, "MELDKAMER_WORKERS", 1),
            city=demo and _on("city", options.city or os.environ.get("CITY")),
            demo=demo,
        )
    except (PortFault, ValueError) as fault:
        print(f"meldkamer run: {fault}", file=sys.stderr)
        return 2
    return Supervisor(plan, paths.var_dir()).run()


def _port(what: str, flag: int | None, variable: str, default: int, *, udp: bool = False) -> int:
    from meldkamer.project.ports import free_port

    asked_for = flag is not None or bool(os.environ.get(variable))
    return free_port(
        _number(what, flag, variable, default), asked_for=asked_for, what=what, udp=udp
    )


def _number(what: str, flag: int | None, variable: str, default: int) -> int:
    if flag is not None:
        found = flag
    else:
        text = os.environ.get(variable) or str(default)
        if not text.isdecimal():
            raise ValueError(f"{variable} is {text!r}; expected a number")
        found = int(text)
    if found < 1:
        raise ValueError(f"{what}: {found} is too few; expected 1 or more")
    return found


def _on(what: str, text: str | None) -> bool:
    if (text or "on").lower() in ("on", "1", "yes", "true"):
        return True
    if str(text).lower() in ("off", "0", "no", "false"):
        return False
    raise ValueError(f"{what} is {text!r}; expected on or off")
