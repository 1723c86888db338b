"""The addresses: every edge brings its own, this only hangs them up."""

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

from meldkamer.project.health import health, house

urlpatterns: list[URLPattern | URLResolver] = [
    path("health/", health, name="health"),
    path("health/house/", house, name="health-house"),
    path("account/", include("allauth.account.urls")),
    path("account/second-factor/", include("allauth.mfa.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
]
for _prefix, _urls in (
    ("office/", "meldkamer.office.urls"),
    ("hooks/", "meldkamer.api.urls"),
    ("", "meldkamer.portal.urls"),
    ("", "meldkamer.console.urls"),
):
    if find_spec(_urls):
        urlpatterns.append(path(_prefix, include(_urls)))
