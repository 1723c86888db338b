"""What makes a page an app: its manifest and its service worker, both under /app/."""

from __future__ import annotations

from pathlib import Path

from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from meldkamer.portal.phone import Visit, on_a_phone

SIZES = (192, 512)


@require_GET
@on_a_phone
def manifest(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Name, icons and where it begins; named after whom its reader knows, his provider."""
    names = sorted({link.contact.site.provider.name for link in visit.links})
    name = ", ".join(names) or "meldkamer"
    icons = [
        {
            "src": static(f"portal/icon-{size}{kind}.png"),
            "sizes": f"{size}x{size}",
            "type": "image/png",
            "purpose": purpose,
        }
        for size in SIZES
        for kind, purpose in (("", "any"), ("-maskable", "maskable"))
    ]
    return JsonResponse(
        {
            "id": reverse("app:home"),
            "name": _("%(provider)s alarms") % {"provider": name},
            "short_name": name[:12],
            "lang": get_language(),
            "start_url": reverse("app:home"),
            "scope": reverse("app:home"),
            "display": "standalone",
            "background_color": "#151d24",
            "theme_color": "#151d24",
            "icons": icons,
        },
        content_type="application/manifest+json",
    )


@require_GET
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker; it lies here because what it serves lies under /app/."""
    found = finders.find("portal/app-worker.js")
    return HttpResponse(
        Path(str(found)).read_bytes(),
        content_type="text/javascript; charset=utf-8",
        headers={"Cache-Control": "no-cache", "Service-Worker-Allowed": reverse("app:home")},
    )
