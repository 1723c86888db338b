from django.apps import AppConfig


class OfficeConfig(AppConfig):
    name = "meldkamer.office"
    label = "office"
