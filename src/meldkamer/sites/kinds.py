"""Kinds of detectors and types, in words: the same on the sheet and at the desk (S9.2, S9)."""

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
TYPES: Mapping[str, str | Promise] = {
    "intrusion": pgettext_lazy("type", "Burglary"),
    "sabotage": pgettext_lazy("type", "Sabotage"),
    "holdup": pgettext_lazy("type", "Hold-up"),
    "fire": pgettext_lazy("type", "Fire"),
    "medical": pgettext_lazy("type", "Medical"),
    "battery": pgettext_lazy("type", "Battery"),
    "power": pgettext_lazy("type", "Power failure"),
    "line_test": pgettext_lazy("type", "Line test"),
    "external_technical": pgettext_lazy("type", "External"),
    "open_close": pgettext_lazy("type", "Open/close"),
    "undefined": pgettext_lazy("type", "Unknown code"),
    "restore": pgettext_lazy("type", "Restore"),
    "cancel": pgettext_lazy("type", "Cancel"),
    "arm": pgettext_lazy("type", "Armed"),
    "disarm": pgettext_lazy("type", "Disarmed"),
    "info": pgettext_lazy("type", "Information"),
}
