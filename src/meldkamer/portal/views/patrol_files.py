"""The script that keeps the patrol's page for a bad line: served under /patrol/, which it may keep.

A worker of the browser governs the addresses below its own; a file under /static/ could not keep
/patrol/.
"""

from __future__ import annotations

from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.templatetags.static import static
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET


@require_GET
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker; asked for anew by the browser each time."""
    found = finders.find("portal/patrol_worker.js")
    with open(str(found), "rb") as file:  # noqa: PTH123 - of our own static files
        content = file.read()
    response = HttpResponse(content, content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "no-cache"
    return response


@require_GET
def manifest(request: HttpRequest) -> JsonResponse:
    """What the phone needs to put the page beside its apps."""
    told = {
        "name": _("Patrol"),
        "short_name": _("Patrol"),
        "start_url": "/patrol/",
        "scope": "/patrol/",
        "display": "standalone",
        "background_color": "#0d1216",
        "theme_color": "#171d23",
        "icons": [{"src": static("house/favicon.svg"), "sizes": "any", "type": "image/svg+xml"}],
    }
    return JsonResponse(told, content_type="application/manifest+json")
