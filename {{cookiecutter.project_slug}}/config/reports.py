"""Django's reports of exceptions, on debug pages and in error mails, without credentials."""

from __future__ import annotations

import re

from django.http import HttpRequest, QueryDict
from django.utils.safestring import SafeString, mark_safe
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

from .redaction import redacted


class Report(ExceptionReporter):
    """Masks credentials by value: also in local variables and in the texts of exceptions."""

    def get_traceback_text(self) -> SafeString:
        return mark_safe(redacted(super().get_traceback_text()))  # noqa: S308  (as safe as it was)

    def get_traceback_html(self) -> SafeString:
        return mark_safe(redacted(super().get_traceback_html()))  # noqa: S308  (as safe as it was)


class ReportFilter(SafeExceptionReporterFilter):
    """Masks more names of settings than Django does, and the values of submitted forms."""

    hidden_settings = re.compile(
        SafeExceptionReporterFilter.hidden_settings.pattern
        + "|CREDENTIAL|DSN|WEBHOOK|COOKIE|AUTHORIZATION|BROKER_URL",
        re.I,
    )

    def get_post_parameters(self, request: HttpRequest | None) -> QueryDict | dict[str, str]:
        """Return the names of the form's fields: their values may be arguments of jobs."""
        posted = super().get_post_parameters(request)
        if request is None or not self.is_active(request):
            return posted
        masked = posted.copy()
        for name in masked:
            masked[name] = self.cleansed_substitute
        return masked
