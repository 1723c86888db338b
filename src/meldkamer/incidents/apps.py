from django.apps import AppConfig


class IncidentsConfig(AppConfig):
    name = "meldkamer.incidents"
    label = "incidents"
