from django.apps import AppConfig


class AgendaConfig(AppConfig):
    name = "meldkamer.agenda"
    label = "agenda"
