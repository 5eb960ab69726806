from django.apps import AppConfig
from django.core.signals import request_finished


class UsersConfig(AppConfig):
    name = "users"

    def ready(self) -> None:
        from lexiflow.cache import writes
        from users import identity, key_usage

        writes.find_firms_with(identity.firms_of)
        request_finished.connect(key_usage.write_noted)
