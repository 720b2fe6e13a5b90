from django.apps import AppConfig
from django.conf import settings

from config.workers import load_celery_app


class HomeConfig(AppConfig):
    name = "home"

    def ready(self) -> None:
        from . import checks  # noqa: F401  (registers them)

        if settings.APSCHEDULER_WORKERS == "celery":
            load_celery_app()
