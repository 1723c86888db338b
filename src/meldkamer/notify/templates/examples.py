"""Facts to look at a message with: those of an ordinary evening, invented, longer than most."""

from __future__ import annotations

from meldkamer.notify.templates.catalogue import Words
from meldkamer.sites.models import Provider

_FACTS: dict[str, object] = {
    "site": "Bakkerij Peeters, Kerkstraat 12, Mechelen",
    "type": "power",
    "zone": "Cold store",
    "count": 3,
    "code": "ZZ 17",
    "day": "21-11-2026",
    "lines": "- Bakkerij Peeters, 1234: 2",
    "link": "https://alarm.example/app/join/x3Jk…/",
    "carrier": "SMS centre A",
    "types": ["intrusion", "sabotage"],
}


def example_facts(words: Words, provider: Provider) -> dict[str, object]:
    """What an example of this message is filled in with."""
    facts = {name: _FACTS[name] for name in words.facts if name in _FACTS}
    return {**facts, "provider": provider.name, "phone": provider.emergency_phone}
