"""The translations' workshop: collect, fill in, check and compile, without GNU gettext.

What a person reads is written in English in templates and code; the other languages lie in
src/meldkamer/locale/<language>/LC_MESSAGES/django.po. `check` must fail when one sentence lacks a
language, is unsure (fuzzy), or has lost a placeholder. Compiled catalogues are never committed.
Sentences of packages that know no Django are marked with `N_("…")` or `gettext_noop("…")`.

  python -m meldkamer.project.i18n collect      bring the catalogues up to date (make messages)
  python -m meldkamer.project.i18n missing      print what is missing as JSON, ready for `put`
  python -m meldkamer.project.i18n put FILE     fill in from JSON: {"msgid": {"nl": "…", …}}
  python -m meldkamer.project.i18n check        exit 1 and name what is missing (make check)
  python -m meldkamer.project.i18n compile      write what is stale
"""

import argparse
import fcntl
import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from meldkamer.project import i18n_collect
from meldkamer.project.i18n_collect import empty_catalog
from meldkamer.project.paths import PACKAGE

LANGUAGES = ("nl", "fr", "de")
LOCALE = PACKAGE / "locale"
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[sd]|\{\w*\}")
#: separates a context from its sentence in the JSON of `put`, as in compiled catalogues
CONTEXT_END = "\x04"

Key = tuple[str | None, str]


def collect() -> Catalog:
    """Every sentence of the product."""
    return i18n_collect.collect(PACKAGE)


def po_file(language: str) -> Path:
    """Where a language's sentences lie."""
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def read(language: str) -> Catalog:
    """A language's catalogue; empty when there is no file yet."""
    file = po_file(language)
    if not file.exists():
        return empty_catalog(language)
    with file.open("rb") as source:
        return read_po(source, locale=language, domain="django")


def write(language: str, catalog: Catalog) -> None:
    """Write a language's catalogue in one piece, always in the same order."""
    file = po_file(language)
    file.parent.mkdir(parents=True, exist_ok=True)
    ordered = empty_catalog(language)
    for message in sorted(
        _messages(catalog), key=lambda message: (_key(message)[1], message.context or "")
    ):
        ordered[message.id] = message
    new = file.with_suffix(f".{os.getpid()}.new")
    with new.open("wb") as out:
        write_po(out, ordered, width=100, include_lineno=False, ignore_obsolete=True)
    new.replace(file)


def _messages(catalog: Catalog) -> list[Message]:
    return [message for message in catalog if message.id]


def _key(message: Message) -> Key:
    first = message.id[0] if isinstance(message.id, (list, tuple)) else message.id
    return (message.context, str(first))


def _strings(message: Message) -> list[str]:
    texts = message.string if isinstance(message.string, (list, tuple)) else [message.string]
    return [text or "" for text in texts]


def _ids(message: Message) -> list[str]:
    return list(message.id) if isinstance(message.id, (list, tuple)) else [message.id]


@contextmanager
def alone() -> Iterator[None]:
    """One writer of catalogues at a time."""
    LOCALE.mkdir(exist_ok=True)
    with (LOCALE / ".writing").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def bring_up_to_date() -> None:
    """Add new sentences (empty), drop those that are no more; nothing is guessed."""
    template = collect()
    with alone():
        for language in LANGUAGES:
            catalog = read(language)
            catalog.update(template, no_fuzzy_matching=True)
            catalog.obsolete.clear()
            write(language, catalog)


def faults(language: str, template: Catalog) -> list[str]:
    """What is wrong with a language, one line each; none: it is complete."""
    catalog = {_key(message): message for message in _messages(read(language))}
    wanted = {_key(message): message for message in _messages(template)}
    found = []
    for key, source in wanted.items():
        message = catalog.get(key)
        where = f"{language}: {key[1]!r} ({source.locations[0][0]})"
        if message is None or not all(_strings(message)):
            found.append(f"{where} is not translated")
        elif message.fuzzy:
            found.append(f"{where} is marked unsure (fuzzy)")
        elif len(_ids(message)) != len(_ids(source)):
            found.append(f"{where} has a plural in one place and none in the other")
        else:
            found += [f"{where}: {text}" for text in _placeholder_faults(source, message)]
    found += [
        f"{language}: {key[1]!r} is used no more (make messages)"
        for key in catalog
        if key not in wanted
    ]
    return found


def _placeholder_faults(source: Message, message: Message) -> list[str]:
    """A translation has the placeholders of its source; a plural may leave the number out."""
    allowed = [sorted(PLACEHOLDER.findall(text)) for text in _ids(source)]
    found = []
    for text in _strings(message):
        held = sorted(PLACEHOLDER.findall(text))
        if held not in allowed:
            found.append(f"{text!r} has the placeholders {held}, expected {allowed[-1]}")
    return found


def missing(template: Catalog) -> dict[str, dict[str, Any]]:
    """What `put` expects, for every sentence that lacks a language; plurals as lists."""
    found: dict[str, dict[str, Any]] = {}
    for language in LANGUAGES:
        catalog = {_key(message): message for message in _messages(read(language))}
        for message in _messages(template):
            context, sentence = _key(message)
            there = catalog.get((context, sentence))
            if there is not None and all(_strings(there)) and not there.fuzzy:
                continue
            name = f"{context}{CONTEXT_END}{sentence}" if context else sentence
            plural = len(_ids(message)) > 1
            found.setdefault(name, {})[language] = ["", ""] if plural else ""
    return found


def put(translations: dict[str, dict[str, Any]]) -> None:
    """Fill in translations; ValueError for a sentence that templates and code do not have."""
    template = {_key(message): message for message in _messages(collect())}
    with alone():
        for language in LANGUAGES:
            catalog = read(language)
            for name, texts in translations.items():
                if language not in texts:
                    continue
                context, _, sentence = name.rpartition(CONTEXT_END)
                source = template.get((context or None, sentence))
                if source is None:
                    raise ValueError(f"no template or code has the sentence {sentence!r}")
                text = texts[language]
                catalog.add(
                    source.id,
                    tuple(text) if isinstance(text, list) else text,
                    locations=source.locations,
                    flags=source.flags,
                    context=source.context,
                )
                held = catalog.get(source.id, source.context)
                assert held is not None
                held.string = tuple(text) if isinstance(text, list) else text
                held.flags.discard("fuzzy")
            write(language, catalog)


def compile_stale() -> None:
    """Write the compiled catalogue of every language whose sentences are newer. Safe at once."""
    for language in LANGUAGES:
        source = po_file(language)
        target = source.with_suffix(".mo")
        if not source.exists():
            continue
        if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        stamp = source.stat()
        new = target.with_suffix(f".{os.getpid()}.new")
        with new.open("wb") as out:
            write_mo(out, read(language))
        os.utime(new, ns=(stamp.st_mtime_ns, stamp.st_mtime_ns))
        new.replace(target)


def main(argv: Sequence[str] | None = None) -> int:
    """0; 1 when something is missing; 2 for JSON that cannot be used."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("act", choices=("collect", "missing", "put", "check", "compile"))
    parser.add_argument("file", nargs="?", help="for put: a JSON file, or - for standard input")
    options = parser.parse_args(argv)
    try:
        return _act(options.act, options.file)
    except ValueError as fault:
        print(f"i18n: {fault}", file=sys.stderr)
        return 2


def _act(act: str, file: str | None) -> int:
    if act == "collect":
        bring_up_to_date()
    elif act == "missing":
        print(json.dumps(missing(collect()), ensure_ascii=False, indent=1))
    elif act == "put":
        if not file:
            raise ValueError("put needs a JSON file, or - for standard input")
        text = sys.stdin.read() if file == "-" else Path(file).read_text("utf-8")
        put(json.loads(text))
    elif act == "compile":
        compile_stale()
    else:
        template = collect()
        found = [line for language in LANGUAGES for line in faults(language, template)]
        print("\n".join(found) or f"translations: {len(_messages(template))} sentences complete")
        return 1 if found else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
