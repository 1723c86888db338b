from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "meldkamer.portal"
    label = "portal"
