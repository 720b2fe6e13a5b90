"""The settings of the tests without ``django.contrib.admin``."""

from __future__ import annotations

from tests.settings import *  # noqa: F403
from tests.settings import INSTALLED_APPS as _ALL

INSTALLED_APPS = [app for app in _ALL if app != "django.contrib.admin"]
ROOT_URLCONF = "tests.monitoring.no_urls"
