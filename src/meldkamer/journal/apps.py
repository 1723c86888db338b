from django.apps import AppConfig


class JournalConfig(AppConfig):
    name = "meldkamer.journal"
    label = "journal"
