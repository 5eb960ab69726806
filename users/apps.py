from django.apps import AppConfig
from django.core.signals import request_finished


class UsersConfig(AppConfig):
    name = "users"

    def ready(self) -> None:
        from users import key_usage

        request_finished.connect(key_usage.write_noted)
