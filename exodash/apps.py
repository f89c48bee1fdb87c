from importlib import import_module

from django.apps import AppConfig

from campaigns.exotel import codes
from exodash import checks  # noqa: F401  registers the system checks


class ExodashConfig(AppConfig):
    name = "exodash"

    def ready(self) -> None:
        """Join rooms that do not know each other. Models can be imported only now.

        What administrators write about codes is laid over the shipped tables; alert rules watch the queue of callbacks.
        """
        codes.set_overlay(import_module("campaigns.insight.code_notes").corrections)
        import_module("campaigns.insight.rules").watch_queue(import_module("callbacks.inbox").oldest)
