from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "meldkamer.billing"
    label = "billing"
