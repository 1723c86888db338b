"""How logging in differs from the library's habit: nobody signs himself up."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class HouseAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """allauth's adapter of this house."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never: an account is a key to other people's houses."""
        return False
