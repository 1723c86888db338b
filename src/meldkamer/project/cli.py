"""The command line `meldkamer`: finds the command's module and hands over.

Each command is a module in `commands` with `arguments(parser)` and `run(options) -> int`, or, when
it parses its own line, `main(argv) -> int`; its docstring is its help text.
Only the module of the command asked for is imported, so that `receive` and `decode` never load
Django.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from meldkamer.project.childhood import follow_parent
from meldkamer.project.faults import OperatingFault

#: command: one line of help. The order is the order of the help text.
COMMANDS = {
    "run": "everything on this machine: database, receivers, workers, web, demo city",
    "receive": "listen for transmitters; store, then acknowledge",
    "work": "judge signals, run the agenda, send what is in the outbox",
    "web": "the browser's side: console and office",
    "mail": "take back mail that could not be delivered",
    "migrate": "bring the database's tables up to date",
    "demo": "fill an empty database with two providers and 200 sites",
    "city": "dial in as the panels of the demo's sites do",
    "decode": "read frames and say what they mean",
    "rehearse": "play a story in virtual time and print what the centre would do and why",
    "sim": "play random stories with every checker, and shorten the first that fails",
    "replay": "play the past under other terms and tell what would have gone differently",
    "journal": "export or verify the journal",
    "terms": "check or show a provider's terms",
    "site": "import sites from a file",
    "staff": "enter a provider, or a member of staff",
    "bench": "measure receiver and screen on this machine",
    "manage": "Django's own management commands",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code (2: the command line itself was wrong)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    name = arguments[0] if arguments else "--help"
    if name in ("-h", "--help"):
        print(_overview())
        return 0 if arguments else 2
    if name == "--version":
        from meldkamer import __version__

        print(f"meldkamer {__version__}")
        return 0
    if name not in COMMANDS:
        print(
            f"meldkamer: no command {name!r}; expected one of {', '.join(COMMANDS)}",
            file=sys.stderr,
        )
        return 2
    follow_parent()
    try:
        return _run(name, arguments[1:])
    except OperatingFault as fault:
        print(f"meldkamer {name}: {fault}", file=sys.stderr)
    except BrokenPipeError:  # who read our lines has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return 130
    except Exception as fault:
        if type(fault).__name__ != "OperationalError":  # psycopg's or Django's, not loaded here
            raise
        words = str(fault).strip().partition("\n")[0]
        print(
            f"meldkamer {name}: no database: {words}; start `meldkamer run`, or set DATABASE_URL",
            file=sys.stderr,
        )
    return 1


def _run(name: str, argv: list[str]) -> int:
    module = importlib.import_module(f"meldkamer.project.commands.{name}")
    if hasattr(module, "main"):  # parses its own line
        return int(module.main(argv) or 0)
    parser = argparse.ArgumentParser(
        prog=f"meldkamer {name}",
        description=module.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.arguments(parser)
    return int(module.run(parser.parse_args(argv)) or 0)


def _overview() -> str:
    wide = max(map(len, COMMANDS))
    lines = [f"  {name:<{wide}}  {text}" for name, text in COMMANDS.items()]
    return "\n".join(
        ["usage: meldkamer COMMAND [--help] …", "", "An alarm receiving centre.", "", *lines]
    )


if __name__ == "__main__":
    sys.exit(main())
