"""The words of messages, in the recipient's language (S7.1, M12.4): the one place of them all.

`catalogue` has what is shipped and what each message must say; `own` what a provider's office made
of it; `rendering` puts the facts in. Never: a sentence to a customer written anywhere else.
Invariant: a message can always be rendered: what is missing or broken gives the shipped words.
"""

from meldkamer.notify.templates.catalogue import TYPE_WORDS
from meldkamer.notify.templates.rendering import render

__all__ = ["TYPE_WORDS", "render"]
