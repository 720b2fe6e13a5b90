"""Arguments in a form: what a browser's controls cannot carry, and what nobody touched, stays."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.contrib.admin.models import LogEntry
from scheduler import scheduler
from scheduler.models import Execution, Job

from . import bodies
from .posting import fields_of

pytestmark = pytest.mark.django_db

NEW_YORK, BERLIN = ZoneInfo("America/New_York"), ZoneInfo("Europe/Berlin")
# What a line of text, or a browser's own control, would give back as something else.
DELICATE = {
    "line break": {"text": "one\ntwo"},
    "break of windows": {"text": "one\r\ntwo"},
    "tab": {"text": "one\ttwo"},
    "spaces": {"text": "  x "},
    "no unicode": {"text": "caf\udce9"},
    "no text": {"text": ""},
    "text of another type": {"text": None},
    "none is not the default": {"limit": None},
    "yes as a number": {"limit": True},
    "infinite": {"ratio": float("inf")},
    "whole": {"ratio": 3},
    "not a number": {"price": Decimal("NaN")},
    "trailing zero": {"price": Decimal("1.50")},
    "naive": {"at": datetime(2030, 1, 2, 3, 4, 5)},
    "microseconds": {"at": datetime(2030, 1, 2, 3, 4, 5, 678, tzinfo=UTC)},
    "another zone": {"at": datetime(2030, 1, 2, 3, 4, 5, tzinfo=NEW_YORK)},
    "an hour that comes twice": {"at": datetime(2030, 10, 27, 2, 30, fold=1, tzinfo=BERLIN)},
    "microseconds of a day": {"clock": time(3, 4, 5, 678)},
    "third choice": {"full": None},
}


def with_arguments(function, **kwargs) -> str:
    """The address of a job that passes them."""
    scheduler.add_job(function, "interval", hours=1, kwargs=kwargs, id="job")
    return "/admin/scheduler/job/job"


@pytest.mark.parametrize("case", DELICATE)
def test_what_nobody_touched_stays_as_it_is(admin_client, settings, case):
    settings.TIME_ZONE = "Europe/Berlin"
    url = with_arguments(bodies.typed, **DELICATE[case])
    stored = Job.objects.get().kwargs
    sent = fields_of(admin_client.get(f"{url}/change/"))
    assert admin_client.post(f"{url}/change/", sent).status_code == 302
    assert Job.objects.get().kwargs == stored
    assert not LogEntry.objects.exists()
    # Nor does it change with another argument.
    assert admin_client.post(f"{url}/change/", {**sent, "arg_other": "new"}).status_code == 302
    assert json.loads(Job.objects.get().kwargs) == {**json.loads(stored), "other": "new"}


@pytest.mark.parametrize("case", DELICATE)
def test_a_run_of_an_untouched_form_takes_the_job_s_own(admin_client, settings, case):
    settings.TIME_ZONE = "Europe/Berlin"
    url = with_arguments(bodies.typed, **DELICATE[case])
    sent = fields_of(admin_client.get(f"{url}/run/"))
    assert admin_client.post(f"{url}/run/", sent).status_code == 302
    assert Execution.objects.get().kwargs == Job.objects.get().kwargs
    assert "with other arguments" not in LogEntry.objects.get().change_message


def test_an_argument_that_must_be_given_may_be_null_or_empty(admin_client):
    url = with_arguments(bodies.needs, text="", limit=None)
    sent = fields_of(admin_client.get(f"{url}/change/"))
    assert (sent["arg_text"], sent["arg_limit"]) == ('""', "null")
    assert admin_client.post(f"{url}/change/", {**sent, "arg_other": "x"}).status_code == 302
    assert json.loads(Job.objects.get().kwargs) == {"limit": None, "other": "x", "text": ""}
    assert admin_client.post(f"{url}/run/", {"arg_text": '"y"', "arg_limit": "null"}).url
    assert json.loads(Execution.objects.get().kwargs) == {"limit": None, "text": "y"}


def test_an_argument_goes_back_to_its_default_when_it_is_emptied(admin_client):
    url = with_arguments(bodies.typed, text="", limit=5, full=False)
    sent = fields_of(admin_client.get(f"{url}/change/"))
    emptied = {**sent, "arg_text": "", "arg_limit": "", "arg_full": "unknown"}
    assert admin_client.post(f"{url}/change/", emptied).status_code == 302
    assert Job.objects.get().kwargs == "{}"
