"""The addresses of the customer's app."""

from django.urls import URLPattern

app_name = "app"
urlpatterns: list[URLPattern] = []
