from importlib import import_module

from django.apps import AppConfig

from campaigns.exotel import codes
from exodash import checks  # noqa: F401  registers the system checks


class ExodashConfig(AppConfig):
    name = "exodash"

    def ready(self) -> None:
        """What administrators write about codes is laid over the shipped tables. Models can be imported only now."""
        codes.set_overlay(import_module("campaigns.insight.code_notes").corrections)
