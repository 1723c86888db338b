"""The outbox and its channels."""

from django.apps import AppConfig


class NotifyConfig(AppConfig):
    name = "meldkamer.notify"
    label = "notify"

    def ready(self) -> None:
        """What an office wrote is never changed, only followed by another version (M12.3)."""
        from meldkamer.journal.grants import only_added

        only_added("notify_messagetemplate")
