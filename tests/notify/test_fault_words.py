"""Faults of carriers are read in the language of who reads them (M12.4)."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from django.utils import translation

import meldkamer.notify
from meldkamer.notify import fault_words

_FOLDER = Path(meldkamer.notify.__file__).parent
#: what is raised, stored and shown as the fault of a carrier or of its settings
_RAISED = frozenset((
    "CarrierFault", "Rejected", "InDoubt", "NotGiven", "NotKnown", "NotThere", "Broken",
    "LoginRefused", "NoAnswer", "SettingsFault", "AddressFault", "PaperFault", "_need", "_break",
))  # fmt: skip
#: another fault, alone or behind a name or a code
_PASSED_ON = re.compile(r"(\w+: |552 |§: )*§")
#: for whoever writes a program, for what no settings of a form can be, and of what comes in
_OTHER = (
    "no secret is called", "no carrier is of kind", "cannot be changed; expected one of",
    "channel §; expected one of", "the body is not as expected",
)  # fmt: skip


def _texts(node: ast.expr) -> list[str]:
    """The sentences an expression may be; § for what comes in."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, ast.JoinedStr):
        found = [""]
        for part in node.values:
            inner = part.value if isinstance(part, ast.FormattedValue) else part
            words = _texts(inner) if isinstance(inner, (ast.Constant, ast.IfExp)) else ["§"]
            found = [text + word for text in found for word in words]
        return found
    if isinstance(node, ast.IfExp):
        return _texts(node.body) + _texts(node.orelse)
    return []


def _raised() -> list[tuple[str, str]]:
    found = []
    for path in sorted(_FOLDER.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            name = node.func.id if isinstance(node.func, ast.Name) else name
            struct = name == "ValueError" and "Settings(" in path.read_text()
            if name in _RAISED or struct:
                found += [(path.name, text) for one in node.args for text in _texts(one)]
    return found


def test_every_fault_that_a_carrier_raises_has_words_in_every_language() -> None:
    raised = _raised()
    assert len(raised) > 100, "the sentences were found"
    unknown = [
        (name, text)
        for name, text in raised
        if not fault_words.is_known(text)
        and not _PASSED_ON.fullmatch(text)
        and not any(one in text for one in _OTHER)
    ]
    assert not unknown, "\n".join(map(str, unknown))


@pytest.mark.clause("M12.4")
@pytest.mark.parametrize(
    ("fault", "french"),
    [
        (
            "127.0.0.1:2775 cannot be reached: Connection refused",
            "127.0.0.1:2775 est injoignable : connexion refusée",
        ),
        (
            "no answer to the login: no answer within 10 s",
            "pas de réponse à la connexion : pas de réponse en 10 s",
        ),
        (
            "the gateway cannot be reached: Connection refused",
            "la passerelle est injoignable : connexion refusée",
        ),
        ("smtp.example: [Errno 111] Connection refused", "smtp.example : connexion refusée"),
        (
            "the centre did not take it: ESME_RSUBMITFAIL: submit_sm failed",
            "le centre ne l’a pas accepté : ESME_RSUBMITFAIL: submit_sm failed",
        ),
        ("550 5.7.1 relaying denied", "550 5.7.1 relaying denied"),
    ],
)
def test_a_fault_is_in_the_readers_language_and_the_other_machine_is_quoted(
    fault: str, french: str
) -> None:
    with translation.override("fr"):
        assert fault_words.said(fault).replace("\u00a0", " ") == french
    with translation.override("en"):
        assert fault_words.said(fault) == fault.replace("[Errno 111] ", "")
