"""TOML that a stranger wrote: a value or one fault, whatever the file holds.

Why: the library's parser lets a number of 5,000 digits and a deep nesting out as failures of its
own, which are no faults of TOML. Never: fail otherwise than by NotToml.
"""

import re
import tomllib
from typing import Any


class NotToml(ValueError):
    """What is wrong, and the line when it is known (from 1)."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        found = re.search(r"line (\d+)", why)
        self.line = int(found[1]) if found else None


def read_toml(text: str) -> dict[str, Any]:
    """The tables of a text; NotToml says what it is instead."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise NotToml(str(fault)) from None
    except ValueError:
        raise NotToml("a number has too many digits; expected at most 19") from None
    except RecursionError:
        raise NotToml("tables or lists are nested too deep") from None
