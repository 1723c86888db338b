from django.apps import AppConfig


class NotifyConfig(AppConfig):
    name = "meldkamer.notify"
    label = "notify"
