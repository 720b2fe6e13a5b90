"""Accounts in the admin. Add new fields of ``User`` to ``fieldsets`` to edit them there."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from .models import User

admin.site.register(User, UserAdmin)
