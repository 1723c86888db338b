from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "meldkamer.people"
    label = "people"
