from django.apps import AppConfig


class WatchConfig(AppConfig):
    name = "meldkamer.watch"
    label = "watch"
