"""The kinds of detectors, in words: the same on the sheet and at the desk (S9.2)."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

KINDS: Mapping[str, str | Promise] = {
    "contact": pgettext_lazy("detector", "Magnetic contact"),
    "pir": pgettext_lazy("detector", "Movement"),
    "glass_break": pgettext_lazy("detector", "Glass break"),
    "seismic": pgettext_lazy("detector", "Vibration"),
    "smoke": pgettext_lazy("detector", "Smoke"),
    "heat": pgettext_lazy("detector", "Heat"),
    "call_point": pgettext_lazy("detector", "Fire call point"),
    "sprinkler": pgettext_lazy("detector", "Sprinkler"),
    "gas": pgettext_lazy("detector", "Gas"),
    "co": pgettext_lazy("detector", "Carbon monoxide"),
    "flood": pgettext_lazy("detector", "Water"),
    "temperature": pgettext_lazy("detector", "Temperature"),
    "button": pgettext_lazy("detector", "Button"),
    "button_fixed": pgettext_lazy("detector", "Fixed button"),
    "button_portable": pgettext_lazy("detector", "Portable button"),
    "pendant": pgettext_lazy("detector", "Pendant"),
    "camera": pgettext_lazy("detector", "Camera"),
    "keypad": pgettext_lazy("detector", "Keypad"),
    "tamper": pgettext_lazy("detector", "Tamper contact"),
    "power": pgettext_lazy("detector", "Power supply"),
    "device": pgettext_lazy("detector", "Other device"),
}
