from django.apps import AppConfig


class LexiflowConfig(AppConfig):
    name = "lexiflow"
