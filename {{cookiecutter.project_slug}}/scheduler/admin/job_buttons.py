"""The buttons of one row of the list of jobs."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.utils import quote
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from ..models.job import JobState
from .job_actions import ACTIONS

IN_LIST = ("pause", "resume", "retry")


def draw(job: Any) -> SafeString:
    """A link to the confirmation of a run, and buttons that send the list's own form elsewhere."""
    pk = quote(job.pk)
    buttons = format_html_join(
        " ",
        '<button class="button sch-small" formaction="{}?{}">{}'
        '<span class="visually-hidden"> {}</span></button>',
        [
            (
                reverse(f"admin:scheduler_job_{name}", args=[pk]),
                urlencode({"next": job.seen_in}),
                ACTIONS[name].verb,
                job,
            )
            for name in IN_LIST
            if ACTIONS[name].offered(job, job.viewer)
        ],
    )
    if not job.viewer.has_perm("scheduler.run_job") or job.state in (
        JobState.QUARANTINED,
        JobState.RETIRED,
    ):
        return buttons
    run = format_html(
        '<a class="button sch-small" href="{}">Run now<span class="visually-hidden"> {}</span></a>',
        reverse("admin:scheduler_job_run", args=[pk]),
        job,
    )
    return format_html("{} {}", run, buttons)
