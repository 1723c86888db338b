"""What the manuals may not say: links to nothing, commands that do not exist, unknown clauses.

Each check takes texts and returns faults as sentences, so that its red twin can plant one. Never
fetches an address: only what lies in this repository is checked.
"""

import argparse
import contextlib
import importlib
import io
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from meldkamer.project.cli import COMMANDS
from meldkamer.wire.decode import decode_text

ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_SPAN = re.compile(r"`[^`\n]*`")
_CLAUSE = re.compile(r"\b(?:[SDMB])\d+(?:\.\d+)?[a-z]?\b")
_COMMAND = re.compile(r"(?:^|[|;&(]\s*|\s)(?:\S*/)?meldkamer (?=[a-z])(.*)")
_FRAME = re.compile(r'(?<![0-9A-F])[0-9A-F]{8}"[^"\n]+"[^\s\\\']*\]')
_FLAG = re.compile(r"--[a-z][a-z0-9-]*")
#: parses its line elsewhere: the words after it are Django's
FOREIGN = ("manage",)
#: what only this machine or its owner knows
_PRIVATE = re.compile(r"(?<![\w.])/(?:work|root|home)/|(?<![\w.])/tmp/")


def manuals() -> list[Path]:
    """Every page that is written for people."""
    top = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")]
    return [*top, *sorted((ROOT / "docs").rglob("*.md"))]


def anchor(heading: str) -> str:
    """The fragment under which a heading is found."""
    plain = re.sub(r"[^\w\- ]", "", heading.replace("`", "").strip().lower())
    return plain.replace(" ", "-")


def without_code(text: str) -> str:
    """The text that is read, not typed."""
    return _SPAN.sub("", _FENCE.sub("", text))


def dead_links(page: Path, text: str) -> list[str]:
    """Relative links that lead nowhere, and fragments that no heading has."""
    faults = []
    for target in _LINK.findall(without_code(text)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, fragment = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        if not file.exists():
            faults.append(f"{page.name}: {target} does not exist")
        elif fragment:
            there = text if file == page else file.read_text("utf-8")
            if fragment not in {anchor(h) for h in _HEADING.findall(_FENCE.sub("", there))}:
                faults.append(f"{page.name}: {target}: no such heading")
    return faults


def unknown_clauses(page: str, text: str, known: set[str]) -> list[str]:
    """Ids in running text that docs/reference/clauses.toml does not list."""
    found = set(_CLAUSE.findall(without_code(text)))
    return [f"{page}: no clause {clause}" for clause in sorted(found - known)]


def private_places(page: str, text: str) -> list[str]:
    """Paths of somebody's own machine."""
    return [f"{page}: {found.group()}" for found in _PRIVATE.finditer(text)]


def wrong_frames(page: str, text: str) -> list[str]:
    """Frames that a receiver would not take as they are shown."""
    faults = []
    for frame in _FRAME.findall(text.replace('\\"', '"')):
        verdict = decode_text(frame, None)["verdict"]
        if verdict != "accept" and '"ACK"' not in frame:
            faults.append(f"{page}: {frame}: {verdict}")
    return faults


def shown_commands(text: str) -> Iterator[tuple[str, bool]]:
    """Every `meldkamer …` of the text without the program's name; True: shown to be typed."""
    fenced = [body for kind, body in _FENCE.findall(text) if kind in ("sh", "ini")]
    for line in "\n".join(fenced).replace("\\\n", " ").splitlines():
        found = _COMMAND.search(line.split(" #")[0])
        if found and not line.lstrip().startswith("#"):
            yield _first_only(found.group(1)), True
    for span in _SPAN.findall(_FENCE.sub("", text)):
        found = _COMMAND.match(span.strip("`"))
        if found:
            yield found.group(1), False


def _first_only(line: str) -> str:
    """Up to a pipe or a redirection; a quoted argument that goes on in the next line is cut."""
    line = re.split(r"\s[|>]|;|\)$", line)[0]
    return line if line.count("'") % 2 == 0 else line[: line.rindex("'")] + "''"


def faulty_command(line: str, typed: bool) -> str | None:
    """Why a shown command would be refused; None when it would not.

    What is typed must parse whole. What is only named must exist, with its flags.
    """
    words = shlex.split(line)
    name = words[0] if words else ""
    if name == "COMMAND" or name.startswith("…"):
        return None
    if name not in COMMANDS:
        return f"meldkamer {line}: no command {name!r}"
    if name in FOREIGN:
        return None
    if not typed:
        strange = sorted(set(_FLAG.findall(line)) - flags(name))
        return f"meldkamer {line}: no {', '.join(strange)}" if strange else None
    parser = parser_of(name)
    if parser is None:
        return None
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        try:
            parser.parse_args(words[1:])
        except SystemExit as done:
            if done.code:
                return f"meldkamer {line}: {said.getvalue().strip().splitlines()[-1]}"
    return None


def parser_of(name: str) -> argparse.ArgumentParser | None:
    """The command's own parser; None when it cannot be had without running it."""
    module = importlib.import_module(f"meldkamer.project.commands.{name}")
    if hasattr(module, "arguments"):
        parser = argparse.ArgumentParser(prog=f"meldkamer {name}")
        module.arguments(parser)
        return parser
    if name == "rehearse":
        from meldkamer.rehearsal import cli

        return cli._parser()
    return None


@cache
def flags(name: str) -> frozenset[str]:
    """Every long option of a command and of its parts; --help is everywhere."""
    parser = parser_of(name)
    if parser is None:
        return frozenset(_FLAG.findall(helped(name)))
    found = set(_options(parser))
    return frozenset(found | {"--help"})


def _options(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from _options(inner)
        else:
            yield from (option for option in action.option_strings if option.startswith("--"))


def helped(name: str) -> str:
    """What `meldkamer NAME --help` prints."""
    command = [sys.executable, "-P", "-m", "meldkamer.project.cli", name, "--help"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout


def sections(text: str) -> dict[str, str]:
    """Heading of the second rank: what stands under it."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def undocumented(reference: str) -> list[str]:
    """Commands and options that the reference lacks, and options it names in vain."""
    faults = []
    there = sections(reference)
    for name in COMMANDS:
        section = there.get(f"meldkamer {name}")
        if section is None:
            faults.append(f"meldkamer {name} has no section")
        elif name not in FOREIGN:
            named = set(_FLAG.findall(section))
            real = flags(name)
            faults += [f"meldkamer {name} {flag} is missing" for flag in real - named - {"--help"}]
            if real:
                faults += [f"meldkamer {name} has no {flag}" for flag in named - real]
    return sorted(faults)
