"""The language of a place in Belgium, by its postal code: that of its police and fire brigade.

Data about the country, not about a provider. Where a zone of the services is entered, the language
of its row goes before this (see `service_numbers`).
"""

from __future__ import annotations

#: the municipalities of the German-speaking Community
_GERMAN = frozenset(
    (4700, 4701, 4710, 4711, 4720, 4721, 4728, 4730, 4731, 4750, 4760, 4761, 4770, 4771, 4780,
     4782, 4783, 4784, 4790, 4791)
)  # fmt: skip
#: first and last postal code, language; "" where both of Brussels are spoken
_REGIONS = (
    (1000, 1299, ""),
    (1300, 1499, "fr"),
    (1500, 3999, "nl"),
    (4000, 7999, "fr"),
    (8000, 9999, "nl"),
)
LANGUAGES = ("nl", "fr", "de")


def language_of(postal_code: str, of_site: str) -> str:
    """nl, fr or de. of_site: the site's own, which counts in Brussels and outside of Belgium."""
    code = postal_code.strip()
    own = of_site if of_site in LANGUAGES else "fr"
    if not (code.isascii() and code.isdigit() and len(code) == 4):
        return own
    number = int(code)
    if number in _GERMAN:
        return "de"
    found = next((lang for first, last, lang in _REGIONS if first <= number <= last), "")
    if found:
        return found
    return own if own in ("nl", "fr") else "fr"
