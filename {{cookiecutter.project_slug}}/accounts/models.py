"""The project's own user model, so that fields can be added to it at any time.

Django cannot exchange ``AUTH_USER_MODEL`` once its tables exist:
https://docs.djangoproject.com/en/stable/topics/auth/customizing/#using-a-custom-user-model-when-starting-a-project
"""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """An account: Django's fields, and the ones that you add here."""
