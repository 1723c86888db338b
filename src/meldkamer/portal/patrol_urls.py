"""The addresses of the patrol's page."""

from django.urls import path

from meldkamer.portal.views import patrol, patrol_files

app_name = "patrol"
urlpatterns = [
    path("", patrol.page, name="page"),
    path("enter/", patrol.enter, name="enter"),
    path("leave/", patrol.leave, name="leave"),
    path("news/", patrol.news, name="news"),
    path("say/", patrol.say, name="say"),
    path("codes/", patrol.codes, name="codes"),
    path("here/", patrol.here, name="here"),
    path("photo/<int:photo_id>/", patrol.photo, name="photo"),
    path("worker.js", patrol_files.worker, name="worker"),
    path("manifest.webmanifest", patrol_files.manifest, name="manifest"),
]
