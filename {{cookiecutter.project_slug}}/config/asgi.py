"""What ASGI servers call."""

import os

import django
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# Before get_asgi_application, which leaves FORCE_SCRIPT_NAME to each request: too late for
# STATIC_URL, which is read once.
django.setup()
application = get_asgi_application()
