"""A story's tables as TOML text, so that what was generated or shortened can be kept and played."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any


def to_toml(tables: Mapping[str, Any]) -> str:
    """The text of a story; ValueError names a value that TOML has no form for."""
    return "\n".join(_table(tables, "")).strip() + "\n"


def _table(table: Mapping[str, Any], name: str) -> list[str]:
    lines, below = [], []
    for key, value in table.items():
        place = f"{name}.{_key(key)}" if name else _key(key)
        if isinstance(value, list) and value and isinstance(value[0], dict):
            for row in value:
                below += ["", f"[[{place}]]", *_table(row, place)]
        elif isinstance(value, dict) and not name:
            below += ["", f"[{place}]", *_table(value, place)]
        else:
            lines.append(f"{_key(key)} = {_value(value)}")
    return lines + below


def _key(key: str) -> str:
    plain = key.replace("_", "").replace("-", "")
    return key if plain.isascii() and plain.isalnum() else json.dumps(key)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        # the escapes of JSON are those of a TOML text, but for DEL
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(one) for one in value)}]"
    if isinstance(value, dict):
        inner = ", ".join(f"{_key(key)} = {_value(one)}" for key, one in value.items())
        return f"{{ {inner} }}"
    raise ValueError(f"no TOML for {value!r}; expected text, number, time, list or table")
