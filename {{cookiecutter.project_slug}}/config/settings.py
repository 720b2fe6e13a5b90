"""Settings. What differs between machines comes from the environment: see ``.env.example``."""

from __future__ import annotations

from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .addresses import admin_path, prefix
from .database import database
from .environment import read_environment
from .logs import logging_config, mail_errors
from .secret import secret_key
from .sentry import start_sentry
from .timezone import known_time_zone
from .workers import TASKS as WORKERS_TASKS
from .workers import broker, workers

BASE_DIR = Path(__file__).resolve().parent.parent

env = read_environment(BASE_DIR / ".env")

PROJECT_NAME = "{{ cookiecutter.__quoted.title }}"
PROJECT_DESCRIPTION = "{{ cookiecutter.__quoted.summary }}"
DOMAIN = "{{ cookiecutter.__quoted.domain_name }}"

# Production is the default, so that a forgotten variable opens nothing.
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = secret_key(env.raw("SECRET_KEY"), DEBUG, BASE_DIR / ".secret_key")
FORMER_KEYS = env.raw("SECRET_KEY_FALLBACKS").split(",")
SECRET_KEY_FALLBACKS = [key.strip() for key in FORMER_KEYS if key.strip()]
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if DEBUG else [DOMAIN]
)

# Queries, templates and timings at the edge of each page: only where a developer's tools are.
DEBUG_TOOLBAR = env.bool("DEBUG_TOOLBAR", default=DEBUG and find_spec("debug_toolbar") is not None)
# A handle at the edge: opened, it lies on a third of a page.
DEBUG_TOOLBAR_CONFIG = {"SHOW_COLLAPSED": True}
INTERNAL_IPS = ["127.0.0.1", "::1"] if DEBUG else []

INSTALLED_APPS = [
    "accounts",
    "home",
    "scheduler",
    "axes",
    "whitenoise.runserver_nostatic",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    # % if cookiecutter.django_version == "5.2"
    "django_tasks",
    # % endif
    *(["debug_toolbar"] if DEBUG_TOOLBAR else []),
]

MIDDLEWARE = [
    "home.health.HealthMiddleware",
    "config.nul.RefuseNulMiddleware",
    "django.middleware.security.SecurityMiddleware",
    # % if cookiecutter.django_version == "5.2"
    "config.csp.ContentSecurityPolicyMiddleware",
    # % else
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    # % endif
    "whitenoise.middleware.WhiteNoiseMiddleware",
    *(["debug_toolbar.middleware.DebugToolbarMiddleware"] if DEBUG_TOOLBAR else []),
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ADMIN_URL = admin_path(env.raw("ADMIN_URL") or "admin/")

# Where the site is reached. With a path, such as https://{{ cookiecutter.__quoted.domain_name }}/app, it is served below that.
BASE_URL = (env.raw("BASE_URL") or f"https://{DOMAIN}").rstrip("/")
FORCE_SCRIPT_NAME = prefix(env.raw("SCRIPT_NAME"), BASE_URL)

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

# Database. Not a setting of its own: reports of errors show settings, and the URL has a password.
# % if cookiecutter.database == "sqlite"
database_url = env.raw("DATABASE_URL") or "sqlite:///db.sqlite3"
# % elif cookiecutter.database == "postgresql"
# In development this machine's server, by its socket, as the role that has your name: no password.
local_url = "postgres:///{{ cookiecutter.project_slug }}"
database_url = env.raw("DATABASE_URL") or (local_url if DEBUG else "")
# % else
# In development this machine's server, by its socket, as the account that has your name: no
# password.
local_url = "mysql:///{{ cookiecutter.project_slug }}"
database_url = env.raw("DATABASE_URL") or (local_url if DEBUG else "")
# % endif
DATABASES = {"default": database(database_url, BASE_DIR)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The scheduler: every option with its default is in scheduler/conf.py.
APSCHEDULER_NAME = "{{ cookiecutter.project_slug }}"
APSCHEDULER_MAX_WORKERS = env.int("APSCHEDULER_MAX_WORKERS", default=10)
APSCHEDULER_DRAIN_TIMEOUT = env.float("APSCHEDULER_DRAIN_TIMEOUT", default=25.0)
APSCHEDULER_HEARTBEAT_FILE = env.str("APSCHEDULER_HEARTBEAT_FILE", default="")
APSCHEDULER_METRICS_TOKEN = env.raw("METRICS_TOKEN")
APSCHEDULER_SECRETS = "config.redaction.known"  # in what jobs print and raise
APSCHEDULER_BASE_URL = BASE_URL  # for links in alerts
APSCHEDULER_ALERTS = env.bool("ALERTS", default=True)

# Tasks: @task and .enqueue() of Django, run by the scheduler. OPTIONS are in docs/tasks.md.
TASKS: dict[str, dict[str, Any]] = {"default": {"BACKEND": "scheduler.tasks.SchedulerBackend"}}

# Workers: processes on any machine, for jobs with executor="workers". docs/scale.md
task_backend = env.str("APSCHEDULER_WORKERS", default="{{ cookiecutter.task_backend }}")
APSCHEDULER_WORKERS = workers(task_backend)
if APSCHEDULER_WORKERS == "celery":
    CELERY_BROKER_URL = broker(env.raw("CELERY_BROKER_URL"), DEBUG)
elif APSCHEDULER_WORKERS == "django-tasks":
    INSTALLED_APPS.append("django_tasks_db")  # behind home, whose db_worker starts theirs
    TASKS["workers"] = WORKERS_TASKS

# Language and time
# Pages are in the first of these languages that the browser asks for, else in English.
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("es", "Español")]
LANGUAGE_CODE = "en-us"
TIME_ZONE = known_time_zone(env.str("TIME_ZONE", default="{{ cookiecutter.__quoted.timezone }}"))
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
AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# Ten wrong passwords for one name from one address close it for a while. Not for all addresses:
# whoever knows a name could then lock its owner out.
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True  # who logged in when is in each account, and in the log
AXES_SENSITIVE_PARAMETERS = ["username"]  # not in the log: people type passwords there, too
AXES_VERBOSE = False
AXES_CLIENT_IP_CALLABLE = "config.proxy.client_address"

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
mail = env.email_url("EMAIL_URL", default="consolemail://" if DEBUG else "smtp://localhost:25")
EMAIL_SUBJECT_PREFIX = f"[{PROJECT_NAME}] "
SERVER_EMAIL = env.str("SERVER_EMAIL", default=f"{{ cookiecutter.project_slug }}@{DOMAIN}")
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default=SERVER_EMAIL)
ADMIN_EMAILS = env.list("ADMINS", default=[] if DEBUG else ["{{ cookiecutter.__quoted.email }}"])
# % if cookiecutter.django_version == "5.2"
ADMINS = [("", address) for address in ADMIN_EMAILS]
EMAIL_BACKEND = mail["EMAIL_BACKEND"]
EMAIL_HOST = mail["EMAIL_HOST"]
EMAIL_PORT = mail["EMAIL_PORT"]
EMAIL_HOST_USER = mail["EMAIL_HOST_USER"] or ""
EMAIL_HOST_PASSWORD = mail["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS = mail.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = mail.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 10

# % else
ADMINS = ADMIN_EMAILS
SMTP_OPTIONS = {
    "host": mail["EMAIL_HOST"],
    "port": mail["EMAIL_PORT"],
    "username": mail["EMAIL_HOST_USER"],
    "password": mail["EMAIL_HOST_PASSWORD"],
    "use_tls": mail.get("EMAIL_USE_TLS", False),
    "use_ssl": mail.get("EMAIL_USE_SSL", False),
    "timeout": 10,
}
MAILERS = {
    "default": {
        "BACKEND": mail["EMAIL_BACKEND"],
        "OPTIONS": SMTP_OPTIONS if mail["EMAIL_HOST"] else {},
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
DEFAULT_EXCEPTION_REPORTER = "config.reports.Report"
DEFAULT_EXCEPTION_REPORTER_FILTER = "config.reports.ReportFilter"

# Errors of views and of jobs to Sentry, beside the mail.
sentry_dsn = env.raw("SENTRY_DSN")
if sentry_dsn:
    start_sentry(sentry_dsn)
