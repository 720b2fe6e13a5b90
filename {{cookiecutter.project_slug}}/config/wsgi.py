"""What WSGI servers call."""

import os

import django
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# Before get_wsgi_application, which leaves FORCE_SCRIPT_NAME to each request: too late for
# STATIC_URL, which is read once.
django.setup()
application = get_wsgi_application()
