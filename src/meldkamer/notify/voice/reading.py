"""A written text as it is read out: digits apart where a person would say them so.

Pure. Never: markup or commands for the voice, which a site's name could carry.
"""

from __future__ import annotations

import re

#: the voices' own commands and phoneme brackets, and what is no use to an ear
_UNSPOKEN = re.compile(r"[\[\]<>{}|\\^~`*_#=\x00-\x1f\x7f]+")
# "+32 470 12 34 56", "0470/12.34.56": at least eight digits with the usual marks between
_PHONE = re.compile(r"(?<![\w.])\+?\d(?:[ ./-]?\d){7,}(?!\w)")
_CLOCK = re.compile(r"\b([01]?\d|2[0-3])[:h]([0-5]\d)\b")
#: a word in which letters and digits meet, as in codes: D000, BA1, 12B
_CODE = re.compile(r"\b(?=\w*\d)(?=\w*[^\W\d_])\w{2,}\b")
# what begins with a nought is no quantity, and five digits are said one by one
_DIGITS = re.compile(r"\b(?:0\d+|\d{5,})\b")
# a house number keeps its letter as it is: "12b" is read as 12, b
_HOUSE = re.compile(r"(\d{1,4})([A-Za-z])")
_CLOCKS = {"nl": "{} uur {}", "fr": "{} heures {}", "de": "{} Uhr {}", "en": "{} {}"}


def spoken(text: str, language: str) -> str:
    """The text for a voice. Numbers of telephones, codes and long numbers are said digit by digit.

    Times are said as such; other numbers are left to the voice, which knows its language.
    """
    clean = _UNSPOKEN.sub(" ", text)
    clean = _PHONE.sub(_number, clean)
    clean = _CLOCK.sub(lambda found: _clock(found, language), clean)
    clean = _CODE.sub(_code, clean)
    clean = _DIGITS.sub(lambda found: _apart(found[0]), clean)
    return " ".join(clean.split())


def _apart(chars: str) -> str:
    return " ".join(chars)


def _number(found: re.Match[str]) -> str:
    """As it is written, group by group, else in twos: a pause between, so that one can write along.

    "+" is said as one dials it.
    """
    groups = re.findall(r"\d+", found[0])
    if len(groups) == 1:
        groups = re.findall(r"\d{1,2}", groups[0])
    if found[0].startswith("+"):
        groups.insert(0, "00")
    return ", ".join(map(_apart, groups))


def _clock(found: re.Match[str], language: str) -> str:
    minutes = found[2].lstrip("0")
    return _CLOCKS.get(language, _CLOCKS["en"]).format(int(found[1]), minutes).strip()


def _code(found: re.Match[str]) -> str:
    house = _HOUSE.fullmatch(found[0])
    return f"{house[1]} {house[2]}" if house else _apart(found[0])
