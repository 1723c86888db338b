"""The addresses of the web hooks: each channel brings its own, one line here.

/hooks/<token>/…: the token is the carrier's; whoever knows it speaks for that carrier.
"""

from django.urls import URLPattern, URLResolver, path

from meldkamer.api import app, desk, sms

urlpatterns: list[URLPattern | URLResolver] = [
    path("<str:token>/app/", app.receipt, name="hook-app"),
    path("<str:token>/sms/", sms.reply, name="hook-sms"),
    path("<str:token>/receipt/", sms.receipt, name="hook-receipt"),
    path("<str:token>/call/", desk.placed, name="hook-call"),
    path("<str:token>/incoming/", desk.incoming, name="hook-incoming"),
]
