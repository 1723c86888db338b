"""Whether this web process can do its work: asked by `meldkamer run` and by load balancers."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe


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
