from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "meldkamer.console"
    label = "console"
