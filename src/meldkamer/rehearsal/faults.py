"""What is wrong with a story, in one line: file, line where known, key, what was expected."""

from __future__ import annotations

import re


class StoryFault(Exception):
    """A story that cannot be played."""

    def __init__(self, path: str, line: int | None, key: str, expected: str) -> None:
        self.path, self.line, self.key, self.expected = path, line, key, expected
        place = f"{path}:{line}" if line else path
        message = f"{place}: {key}: {expected}" if key else f"{place}: {expected}"
        super().__init__(" ".join(message.split()))


def line_of(text: str, where: str) -> int | None:
    """The line of a key like site[0].contact[1].phone; the nearest table above when not found."""
    lines = text.splitlines()
    at = 0
    seen_tables: list[str] = []
    for name, number, key in re.findall(r"(\w+)(?:\[(\d+|\.\.\.)\])?()", where):
        del key
        if number.isdigit():
            found = _nth_table(lines, at, ".".join([*seen_tables, name]), int(number))
            if found is None:  # a list of values, on the line of its key
                key_line = _key(lines, at, name)
                return (key_line if key_line is not None else at) + 1
            seen_tables.append(name)
            at = found
        else:
            key_line = _key(lines, at, name)
            if key_line is not None:
                return key_line + 1
            seen_tables.append(name)
            at = _table(lines, at, ".".join(seen_tables))
    return at + 1 if at or seen_tables else None


def _nth_table(lines: list[str], start: int, name: str, number: int) -> int | None:
    pattern = re.compile(rf"^\s*\[\[\s*{re.escape(name)}\s*\]\]")
    count = -1
    for index in range(start, len(lines)):
        if pattern.match(lines[index]):
            count += 1
            if count == number:
                return index
    return None


def _table(lines: list[str], start: int, name: str) -> int:
    """The line of a table's own header below the one of what it is in; else that one."""
    pattern = re.compile(rf"^\s*\[\s*{re.escape(name)}\s*\]")
    above = re.compile(rf"^\s*\[\[\s*{re.escape(name.rpartition('.')[0])}\s*\]\]")
    for index in range(start, len(lines)):
        if pattern.match(lines[index]):
            return index
        if index > start and above.match(lines[index]):
            break
    return start


def _key(lines: list[str], start: int, name: str) -> int | None:
    header = re.compile(r"^\s*\[")
    pattern = re.compile(rf"(^|[{{,\s]){re.escape(name)}\s*=")
    for index in range(start, len(lines)):
        if index > start and header.match(lines[index]):
            return None
        if pattern.search(lines[index]):
            return index
    return None
