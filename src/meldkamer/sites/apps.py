from django.apps import AppConfig


class SitesConfig(AppConfig):
    name = "meldkamer.sites"
    label = "sites"
