"""What each channel is called on a screen: the same at the desk and in the office."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

CHANNEL_WORDS: dict[str, str | Promise] = {
    "sms": _("Texts"),
    "app": _("App"),
    "mail": _("Mail"),
    "letter": _("Letters"),
    "voice": _("Announced calls"),
    "authority": _("Police, fire, medical by wire"),
    "desk": _("Telephones of the desks"),
}
