"""What the rules ask of the watch: missed tests in a row, and codes that were told of."""

from __future__ import annotations

from meldkamer.watch.models import LineTestWatch, UndefinedCode


def missed_tests(site_id: int) -> int:
    """How many expected test messages were missed in a row (S10.3)."""
    missed = LineTestWatch.objects.filter(site_id=site_id).values_list("missed", flat=True).first()
    return missed or 0


def undefined_codes(site_id: int) -> tuple[frozenset[str], frozenset[str]]:
    """The codes that the installer was told of, and those to be handled all the same (S10.5)."""
    rows = list(UndefinedCode.objects.filter(site_id=site_id).values_list("code", "handle"))
    return (
        frozenset(code for code, handle in rows if not handle),
        frozenset(code for code, handle in rows if handle),
    )
