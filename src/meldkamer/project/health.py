"""Whether this web process can do its work, and whether the house keeps its own rules.

Asked by `meldkamer run`, by load balancers and by monitors. They are two questions: a web process
that works must stay in the load balancer's list while the house is red, or nobody sees the red.
"""

from datetime import UTC, datetime

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from meldkamer.incidents import house_checks


@require_safe
@never_cache
def health(request: HttpRequest) -> HttpResponse:
    """200 "ok" when the database answers, else 503 with the reason's kind, nothing more."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as fault:
        return HttpResponse(f"no database: {type(fault).__name__}\n", "text/plain", 503)
    return HttpResponse("ok\n", "text/plain")


@require_safe
@never_cache
def house(request: HttpRequest) -> HttpResponse:
    """200 "holds" while every check of the auditor holds and is fresh, else 503 and how many do
    not; names and findings are for supervisors (M12.3)."""
    try:
        found = house_checks.house(datetime.now(UTC))
    except DatabaseError as fault:
        return HttpResponse(f"no database: {type(fault).__name__}\n", "text/plain", 503)
    if found.holds:
        return HttpResponse("holds\n", "text/plain")
    words = f"broken: {len(found.broken)}" if found.broken else "not looked at"
    return HttpResponse(f"{words}\n", "text/plain", 503)
