from django.apps import AppConfig


class ContractsConfig(AppConfig):
    name = "meldkamer.contracts"
    label = "contracts"
