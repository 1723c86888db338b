"""One remark about a sheet, a procedure or a terms file: what is wrong, where, under which clause.

A finding carries a code and its numbers beside the English sentence, so that a screen can say it
in the reader's language.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark.

    item: what it is about: plan, formula, types, contacts, open_close, options, or the id of a
    procedure's step ("" for the procedure as a whole). refused: it does not enter; otherwise it is
    a warning. `code` and `numbers` let a screen say it in another language than `reason`.
    """

    clause: str
    item: str
    reason: str
    refused: bool
    code: str = ""
    numbers: Mapping[str, object] = field(default_factory=dict)
