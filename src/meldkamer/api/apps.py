from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "meldkamer.api"
    label = "api"
