"""Settings. What differs between machines comes from the environment: see ``.env.example``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .database import database
from .environment import read_environment
from .logs import logging_config, mail_errors
from .secret import secret_key
from .sentry import start_sentry

BASE_DIR = Path(__file__).resolve().parent.parent

env = read_environment(BASE_DIR / ".env")

PROJECT_NAME = "{{ cookiecutter.__quoted.title }}"
PROJECT_DESCRIPTION = "{{ cookiecutter.__quoted.summary }}"
DOMAIN = "{{ cookiecutter.__quoted.domain_name }}"

# Production is the default, so that a forgotten variable opens nothing.
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = secret_key(env.raw("SECRET_KEY"), DEBUG, BASE_DIR / ".secret_key")
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if DEBUG else [DOMAIN]
)

INSTALLED_APPS = [
    "home",
    "scheduler",
    "whitenoise.runserver_nostatic",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "home.health.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    # % if cookiecutter.django_version == "5.2"
    "config.csp.ContentSecurityPolicyMiddleware",
    # % else
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    # % endif
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ADMIN_URL = env.str("ADMIN_URL", default="admin/").strip("/") + "/"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# Database
# % if cookiecutter.database == "sqlite"
DATABASE_URL = env.raw("DATABASE_URL") or "sqlite:///db.sqlite3"
# % elif cookiecutter.database == "postgresql"
# This machine's server, by its socket, as the role that has your name: no password.
LOCAL_URL = "postgres:///{{ cookiecutter.project_slug }}"
DATABASE_URL = env.raw("DATABASE_URL") or (LOCAL_URL if DEBUG else "")
# % else
# This machine's server, by its socket, as the account that has your name: no password.
LOCAL_URL = "mysql:///{{ cookiecutter.project_slug }}"
DATABASE_URL = env.raw("DATABASE_URL") or (LOCAL_URL if DEBUG else "")
# % endif
DATABASES = {"default": database(DATABASE_URL, BASE_DIR)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The scheduler: every option with its default is in scheduler/conf.py.
APSCHEDULER_NAME = "{{ cookiecutter.project_slug }}"
APSCHEDULER_MAX_WORKERS = env.int("APSCHEDULER_MAX_WORKERS", default=10)
APSCHEDULER_DRAIN_TIMEOUT = env.float("APSCHEDULER_DRAIN_TIMEOUT", default=25.0)
APSCHEDULER_HEARTBEAT_FILE = env.str("APSCHEDULER_HEARTBEAT_FILE", default="")
APSCHEDULER_METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
APSCHEDULER_BASE_URL = env.str("BASE_URL", default=f"https://{DOMAIN}")  # for links in alerts
APSCHEDULER_ALERTS = env.bool("ALERTS", default=True)

# Language and time
LANGUAGE_CODE = "en-us"
TIME_ZONE = env.str("TIME_ZONE", default="{{ cookiecutter.__quoted.timezone }}")
USE_I18N = True
USE_TZ = True

# Static files
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG
STATICFILES_STORAGE_CLASS = (
    "django.contrib.staticfiles.storage.StaticFilesStorage"
    if DEBUG
    else "whitenoise.storage.CompressedManifestStaticFilesStorage"
)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": STATICFILES_STORAGE_CLASS},
}

# Accounts
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# HTTPS, as a proxy in front speaks it. HTTPS=false serves plain HTTP, for a trial only.
HTTPS = env.bool("HTTPS", default=not DEBUG)
SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
if HTTPS:
    # The proxy must set this header itself, whatever the client sent: docs/deploy.md.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    # An hour, until you are sure that HTTPS stays; then a year: 31536000.
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=3600)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=True)
    SECURE_HSTS_PRELOAD = env.bool("SECURE_HSTS_PRELOAD", default=True)
X_FRAME_OPTIONS = "DENY"
SECURE_CSP: dict[str, Any] = {
    "default-src": ["'self'"],
    "img-src": ["'self'", "data:"],
    "object-src": ["'none'"],
    "base-uri": ["'none'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'none'"],
}

# Mail: errors and alerts go to ADMINS.
MAIL = env.email_url("EMAIL_URL", default="consolemail://" if DEBUG else "smtp://localhost:25")
SERVER_EMAIL = env.str("SERVER_EMAIL", default=f"{{ cookiecutter.project_slug }}@{DOMAIN}")
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default=SERVER_EMAIL)
ADMIN_EMAILS = env.list("ADMINS", default=[] if DEBUG else ["{{ cookiecutter.__quoted.email }}"])
# % if cookiecutter.django_version == "5.2"
ADMINS = [("", address) for address in ADMIN_EMAILS]
EMAIL_BACKEND = MAIL["EMAIL_BACKEND"]
EMAIL_HOST = MAIL["EMAIL_HOST"]
EMAIL_PORT = MAIL["EMAIL_PORT"]
EMAIL_HOST_USER = MAIL["EMAIL_HOST_USER"] or ""
EMAIL_HOST_PASSWORD = MAIL["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS = MAIL.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = MAIL.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 10

# % else
ADMINS = ADMIN_EMAILS
SMTP_OPTIONS = {
    "host": MAIL["EMAIL_HOST"],
    "port": MAIL["EMAIL_PORT"],
    "username": MAIL["EMAIL_HOST_USER"],
    "password": MAIL["EMAIL_HOST_PASSWORD"],
    "use_tls": MAIL.get("EMAIL_USE_TLS", False),
    "use_ssl": MAIL.get("EMAIL_USE_SSL", False),
    "timeout": 10,
}
MAILERS = {
    "default": {
        "BACKEND": MAIL["EMAIL_BACKEND"],
        "OPTIONS": SMTP_OPTIONS if MAIL["EMAIL_HOST"] else {},
    }
}

# % endif

# Logs: one line a record on stdout; who starts the process decides where that goes.
LOGGING = logging_config(
    level=env.str("LOG_LEVEL", default="INFO"),
    form=env.str("LOG_FORMAT", default="text"),
    fold=not DEBUG,
)
mail_errors(LOGGING)

# Errors of views and of jobs to Sentry, beside the mail.
SENTRY_DSN = env.str("SENTRY_DSN", default="")
if SENTRY_DSN:
    start_sentry(SENTRY_DSN)
