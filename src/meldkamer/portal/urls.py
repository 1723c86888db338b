"""The addresses of the pages for those outside: each part brings its own."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("app/", include("meldkamer.portal.app_urls")),
    path("patrol/", include("meldkamer.portal.patrol_urls")),
]
