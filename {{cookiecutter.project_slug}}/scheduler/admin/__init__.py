"""The scheduler's pages in Django's admin; importing this registers them."""

from __future__ import annotations

from django.contrib import admin

from ..models import Execution, Job
from .executions.admin import ExecutionAdmin
from .jobs.admin import JobAdmin

admin.site.register(Job, JobAdmin)
admin.site.register(Execution, ExecutionAdmin)
