"""The addresses of the customer's app."""

from django.urls import path

from meldkamer.portal.views import app, app_files

app_name = "app"
urlpatterns = [
    path("", app.home, name="home"),
    path("list/", app.listing, name="list"),
    path("join/", app.paste, name="paste"),
    path("join/<str:token>/", app.join, name="join"),
    path("subscribe/", app.subscribe, name="subscribe"),
    path("quiet/", app.unsubscribe, name="unsubscribe"),
    path("messages/<int:message_id>/seen/", app.acknowledge, name="acknowledge"),
    path("sw.js", app_files.worker, name="worker"),
    path("manifest.webmanifest", app_files.manifest, name="manifest"),
]
