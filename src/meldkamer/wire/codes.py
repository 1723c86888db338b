"""What each SIA and Contact ID code means: the code tables and their mapping to signal types.

Why: the code alone decides the type of a signal (M1.2); one place holds that decision, as data
(`data/sia.csv`, `data/contact_id.csv`, and `data/types.csv` which maps class -> type).
Never: raise for a code that a transmitter sent. An unlisted code is answered with type
`undefined` and `known=False` (S10.5), an unlisted Contact ID 1xx with `intrusion` (M1.2).
Invariant: every (class, polarity) that occurs in the tables has exactly one row in `types.csv`;
a table that breaks this does not load.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Final, Literal

Role = Literal[
    "event", "restore", "cancel", "arm", "disarm", "test_message", "info", "still", "unparsed"
]

EVENT_TYPES: Final = frozenset(
    {
        "intrusion",
        "sabotage",
        "holdup",
        "fire",
        "medical",
        "battery",
        "power",
        "line_test",
        "external_technical",
        "open_close",
        "undefined",
    }
)

# M7.1 names these three; in the SIA table a code is duress when its meaning says so.
_DURESS_CID: Final = frozenset({"121", "124", "125"})
# S9.1: codes that are themselves the verification.
_VERIFIES_SIA: Final = frozenset({"BV", "BM"})
_VERIFIES_CID: Final = frozenset({"139"})
# S9.1: the way in and out is no second detector.
_ENTRY_EXIT_SIA: Final = frozenset({"EA", "EE", "EZ"})
_ENTRY_EXIT_CID: Final = frozenset({"134", "374", "457"})
# S9.2: the code itself names the kind of detector, also where the sheet lists no zone.
_DETECTOR_SIA: Final = {"KA": "heat", "SA": "sprinkler"}
_DETECTOR_CID: Final = {
    "111": "smoke",
    "113": "sprinkler",
    "114": "heat",
    "115": "call_point",
    "116": "duct",
    "117": "flame",
}
# DC-05 groups codes by hundreds; used for the class of codes that the table does not list.
_CLASS_BY_HUNDREDS: Final = {
    "1": "alarm_untyped",
    "2": "supervisory",
    "3": "trouble",
    "4": "open_close_or_access",
    "5": "bypass",
    "6": "test_or_misc",
    "7": "vendor",
    "9": "misc",
}


@dataclass(frozen=True, slots=True)
class CodeInfo:
    """One code as the tables know it.

    `code` is two letters (SIA) or qualifier + three digits (Contact ID, "1130").
    `type` is what `signal.received` says: an incident type, or restore, cancel, arm, disarm,
    line_test, info. `role` tells apart what `type` alone cannot: role `event` may open an
    incident of `type`; `test_message` is a periodic test that arrived (type line_test, never
    opens); `still` is Contact ID qualifier 6 (joins without opening); `unparsed` is no code at
    all but a message that could not be read and that an operator must see.
    `restores` are the SIA codes (or the Contact ID code with qualifier 1) that it restores,
    `restores_types` their incident types, journal-only ones left out.
    """

    code: str
    meaning: str
    klass: str
    polarity: str
    role: Role
    type: str
    address_kind: str
    known: bool
    restores: tuple[str, ...] = ()
    restores_types: tuple[str, ...] = ()
    duress: bool = False
    verifies: bool = False
    entry_exit: bool = False
    detector: str | None = None

    @property
    def label(self) -> str:
        """Text for a person, in English (the source language of translations)."""
        return self.meaning

    @property
    def opens(self) -> bool:
        """True when a signal with this code may open an incident (M1.1, M1.2)."""
        return self.role in ("event", "unparsed")


class CodeTableError(ValueError):
    """A shipped code table contradicts itself; raised while loading, never on a signal."""


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = files("meldkamer.wire").joinpath("data", name).read_text(encoding="utf-8")
    yield from csv.DictReader(text.splitlines())


def _load_types() -> dict[tuple[str, str], tuple[Role, str]]:
    types: dict[tuple[str, str], tuple[Role, str]] = {}
    for row in _rows("types.csv"):
        role: Role = row["role"]  # type: ignore[assignment]  # checked by the tests of the table
        types[row["class"], row["polarity"]] = (role, row["type"])
    return types


_TYPES: Final = _load_types()


def role_and_type(klass: str, polarity: str) -> tuple[Role, str]:
    """Map a class of the code tables to (role, type) (M1.2).

    Raises CodeTableError for a class and polarity that `types.csv` does not list.
    """
    found = _TYPES.get((klass, polarity)) or _TYPES.get((klass, "*"))
    if found is None:
        raise CodeTableError(f"class {klass!r} with polarity {polarity!r}: no row in types.csv")
    return found


def _load_sia() -> dict[str, CodeInfo]:
    rows = {row["code"]: row for row in _rows("sia.csv")}
    table: dict[str, CodeInfo] = {}
    for code, row in rows.items():
        role, kind = role_and_type(row["class"], row["polarity"])
        restored = tuple(row["restores"].split("|")) if row["restores"] else ()
        table[code] = CodeInfo(
            code=code,
            meaning=row["meaning"],
            klass=row["class"],
            polarity=row["polarity"],
            role=role,
            type=kind,
            address_kind=row["address_kind"],
            known=True,
            restores=restored,
            restores_types=_types_restored(restored, rows) if role == "restore" else (),
            duress="duress" in row["meaning"].lower(),
            verifies=code in _VERIFIES_SIA,
            entry_exit=code in _ENTRY_EXIT_SIA,
            detector=_DETECTOR_SIA.get(code),
        )
    return table


def _types_restored(restored: tuple[str, ...], rows: dict[str, dict[str, str]]) -> tuple[str, ...]:
    found: list[str] = []
    for code in restored:
        if code not in rows:
            raise CodeTableError(f"sia.csv restores {code!r}, which it does not list")
        role, kind = role_and_type(rows[code]["class"], rows[code]["polarity"])
        if role == "event" and kind not in found:
            found.append(kind)
    return tuple(found)


# Contact ID carries its polarity in the qualifier: 1 is an event except for these classes.
_CID_STATES: Final = {
    "arm": "state",
    "disarm": "state",
    "cancel": "info",
    "linetest": "info",
    "restore": "restore",
}
# ... and 3 is the class of `class_when_q3`; only these of them are events of their own.
_CID_Q3_EVENTS: Final = frozenset({"schedule"})


def _contact_id_variants(row: dict[str, str]) -> Iterator[tuple[str, CodeInfo]]:
    """The three codes (qualifier 1, 3, 6) of one row of `contact_id.csv`."""
    code, klass = row["code"], row["class"]
    polarity = _CID_STATES.get(klass, "event")
    role, kind = role_and_type(klass, polarity)
    event = CodeInfo(
        code="1" + code,
        meaning=row["meaning_q1"] or row["meaning"],
        klass=klass,
        polarity=polarity,
        role=role,
        type=kind,
        address_kind=row["address_kind"],
        known=True,
        duress=code in _DURESS_CID,
        verifies=code in _VERIFIES_CID,
        entry_exit=code in _ENTRY_EXIT_CID,
        detector=_DETECTOR_CID.get(code),
    )
    yield "1", event
    yield "3", _qualifier_3(row["class_when_q3"], event, row["meaning_q3"] or row["meaning"])
    yield "6", _still(event)


def _qualifier_3(klass: str, event: CodeInfo, meaning: str) -> CodeInfo:
    polarity = _CID_STATES.get(klass, "event" if klass in _CID_Q3_EVENTS else "info")
    role, kind = role_and_type(klass, polarity)
    restores = role == "restore"
    return CodeInfo(
        code="3" + event.code[1:],
        meaning=meaning,
        klass=klass,
        polarity=polarity,
        role=role,
        type=kind,
        address_kind=event.address_kind,
        known=event.known,
        restores=(event.code,) if restores else (),
        restores_types=(event.type,) if restores and event.role == "event" else (),
        entry_exit=event.entry_exit,
        detector=event.detector,
    )


def _still(event: CodeInfo) -> CodeInfo:
    """Qualifier 6, "still present": what qualifier 1 says, but it never opens (M1.2)."""
    return CodeInfo(
        code="6" + event.code[1:],
        meaning=event.meaning,
        klass=event.klass,
        polarity="info",
        role="still" if event.role == "event" else event.role,
        type=event.type,
        address_kind=event.address_kind,
        known=event.known,
        entry_exit=event.entry_exit,
        detector=event.detector,
    )


def _load_contact_id() -> dict[str, CodeInfo]:
    return {
        qualifier + row["code"]: info
        for row in _rows("contact_id.csv")
        for qualifier, info in _contact_id_variants(row)
    }


SIA_CODES: Final = _load_sia()
CONTACT_ID_CODES: Final = _load_contact_id()

# What an unreadable message becomes: shown to an operator, never dropped (S10.5, S10.7).
UNPARSED: Final = CodeInfo(
    code="?",
    meaning="Message that could not be read",
    klass="unparsed",
    polarity="event",
    role="unparsed",
    type="undefined",
    address_kind="",
    known=False,
)


def lookup_sia(code: str) -> CodeInfo:
    """Meaning of a two-letter SIA code (DC-03). An unlisted one is `undefined` (S10.5)."""
    found = SIA_CODES.get(code)
    if found is not None:
        return found
    return CodeInfo(
        code=code,
        meaning=f"Unlisted SIA code {code}",
        klass="unlisted",
        polarity="event",
        role="event",
        type="undefined",
        address_kind="",
        known=False,
    )


def lookup_contact_id(qualifier: str, code: str) -> CodeInfo:
    """Meaning of a Contact ID code (DC-05): qualifier "1", "3" or "6" and three hex digits.

    Unlisted 1xx is intrusion (M1.2); any other unlisted code is undefined (S10.5), its class
    names the hundreds it belongs to. Raises ValueError for another qualifier, which the
    Contact ID reader never lets through.
    """
    if qualifier not in ("1", "3", "6"):
        raise ValueError(f"Contact ID qualifier {qualifier!r}: expected 1, 3 or 6")
    found = CONTACT_ID_CODES.get(qualifier + code)
    if found is not None:
        return found
    klass = _CLASS_BY_HUNDREDS.get(code[:1], "unlisted")
    meaning = f"Unlisted Contact ID code {code}"
    event = CodeInfo(
        code="1" + code,
        meaning=meaning,
        klass=klass,
        polarity="event",
        role="event",
        type="intrusion" if code[:1] == "1" else "undefined",
        address_kind="",
        known=False,
    )
    if qualifier == "1":
        return event
    return _still(event) if qualifier == "6" else _qualifier_3("restore", event, meaning)


_CODE_TEXT = re.compile(r"([136])([0-9A-F]{3})|([A-Z]{2})")


def lookup(code: str) -> CodeInfo:
    """Look up a code as a story or a screen writes it: "BA" or "1130".

    Raises ValueError naming the two forms when it is neither.
    """
    match = _CODE_TEXT.fullmatch(code)
    if match is None:
        raise ValueError(
            f"code {code!r}: expected two capitals (SIA) or 1/3/6 + 3 hex digits (CID)"
        )
    if match[3]:
        return lookup_sia(match[3])
    return lookup_contact_id(match[1], match[2])
