"""What can be wrong with a link or a subscription: told apart, for the page says which."""

from __future__ import annotations


class LinkFault(Exception):
    """A link that lets nobody in. why: unknown, used, over or taken_back."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class SubscriptionFault(ValueError):
    """What a browser sent as its subscription and is none; says what was expected."""
