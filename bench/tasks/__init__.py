"""Backends of Django's Tasks API side by side on PostgreSQL: ``make bench-tasks``."""
