"""What a developer may have in .env, and no test should depend on.

The database's address and the key are not here: the tests use what there is.
"""

# fmt: off
HIDDEN = [
    "ADMINS", "ADMIN_URL", "ALERTS", "ALLOWED_HOSTS", "APSCHEDULER_DRAIN_TIMEOUT",
    "APSCHEDULER_HEARTBEAT_FILE", "APSCHEDULER_MAX_WORKERS", "BASE_URL", "CSRF_TRUSTED_ORIGINS",
    "DEFAULT_FROM_EMAIL", "EMAIL_URL", "HTTPS", "LOG_FORMAT", "LOG_LEVEL", "METRICS_TOKEN",
    "SECURE_HSTS_INCLUDE_SUBDOMAINS", "SECURE_HSTS_PRELOAD", "SECURE_HSTS_SECONDS", "SENTRY_DSN",
    "SERVER_EMAIL", "TIME_ZONE",
]
# fmt: on
