"""Why an entry of a patrol was not taken, in words for somebody on the road.

Never: decide, or hide: an unknown reason is shown as it is.
"""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

_REASONS = {
    "passed on": gettext_lazy("Too late: another unit was asked."),
    "declined before": gettext_lazy("You said before that you cannot."),
    "called off": gettext_lazy("The centre called you off."),
    "done before": gettext_lazy("This job is done."),
    "accepted before": gettext_lazy("You accepted it before."),
    "arrived before": gettext_lazy("You are on site already."),
    "not accepted yet": gettext_lazy("Accept the job first."),
    "not arrived yet": gettext_lazy("Say first that you are on site."),
    "nothing found yet": gettext_lazy("Say first what you see."),
    "no job of this unit": gettext_lazy("This is no job of yours."),
    "no number of its own": gettext_lazy("The report has no number. Load the page anew."),
    "unknown word of a patrol": gettext_lazy("The page is old. Load it anew."),
    "note too long": gettext_lazy("The note is too long: 1000 characters at most."),
    "why it cannot is missing": gettext_lazy("Say why you cannot."),
    "unknown finding": gettext_lazy("Choose what you see."),
    "photo empty": gettext_lazy("The photo is empty."),
    "photo too large": gettext_lazy("The photo is too large: 8 MB at most."),
    "photo not a photo": gettext_lazy("This is no photo: JPEG, PNG or WebP is taken."),
    "photo cut off": gettext_lazy("The photo is cut off. Take it again."),
    "too many photos": gettext_lazy("40 photos of a job are enough."),
}


def reason(text: str, unit: str = "") -> str:
    """The sentence of a reason; unit: who has the job now."""
    words = str(_REASONS.get(text, text))
    if not unit:
        return words
    goes = _("%(unit)s goes.") % {"unit": unit}
    return f"{words} {goes}"
