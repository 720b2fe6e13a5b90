"""Sensitive values of any kind leave by no door: commands, health, pages, mails, logs, Sentry."""

from __future__ import annotations

import json
from contextlib import suppress
from io import StringIO

import pytest
from django import VERSION
from django.core import mail
from django.core.management import call_command
from django.test import RequestFactory
from scheduler import scheduler, serialization
from scheduler.engine.leadership.node import Self
from scheduler.masking import is_secret_name, secret_texts
from scheduler.models import Execution, Job, Node
from scheduler.models.node import Role
from scheduler.monitoring import alerts, mailer, views
from scheduler.testing import run_due

from tests import bodies
from tests.monitoring import rows

pytestmark = pytest.mark.django_db(transaction=True)

CANARIES = {
    "plain": "canary-sk-live",
    "quoted": 'canary"ss\\word',
    "not ASCII and quoted": 'canary-pä"ss-wörd\n2',
    "bytes": b"canary-\x00\xff",
    "nested": {"a": ["canary-deep", {"b": "canary-deeper"}]},
}


def traces(text: str) -> list[str]:
    return [text[max(at - 40, 0) : at + 40] for at in [text.find("canary")] if at >= 0]


def said(*words: str) -> str:
    out, err = StringIO(), StringIO()
    with suppress(SystemExit):
        call_command("scheduler", *words, stdout=out, stderr=err)
    return out.getvalue() + err.getvalue()


@pytest.fixture
def doors(settings, monkeypatch, admin_client, caplog):
    """Call with a job's id: what each door lets out, by its name."""
    caplog.set_level("DEBUG", logger="scheduler")
    settings.ADMINS = ["ops@example.com"] if VERSION >= (6, 0) else [("", "ops@example.com")]
    settings.APSCHEDULER_ALERT_DELAY = 3600.0
    monkeypatch.setattr(alerts, "mailer", mailer.Mailer())
    sent: list[tuple] = []
    monkeypatch.setattr(alerts, "_to_sentry", lambda *event: sent.append(event))

    def doors(job_id: str) -> dict[str, str]:
        alerts.flush(5)
        found = {
            "mails": "".join(f"{each.subject}\n{each.body}" for each in mail.outbox),
            "log": "".join(
                caplog.handler.format(record)
                for record in caplog.records
                if record.name.startswith("scheduler")  # a job function's own lines are its own
            ),
            "Sentry": repr(sent),
            "health": views.health(RequestFactory().get("/")).content.decode(),
        }
        for words in (("list",), ("show", job_id), ("history", job_id), ("status",)):
            found[f"scheduler {words[0]}"] = said(*words) + said(*words, "--json")
        for row in Execution.objects.filter(job_id=job_id):
            found["execution"] = page(admin_client, f"execution/{row.pk}/change/")
        found["job"] = page(admin_client, f"job/{job_id}/change/")
        found["history"] = page(admin_client, f"job/{job_id}/history/")
        found["run"] = page(admin_client, f"job/{job_id}/run/")
        found["lists"] = page(admin_client, "job/") + page(admin_client, "execution/")
        return found

    return doors


def page(client, path: str) -> str:
    answer = client.get(f"/admin/scheduler/{path}")
    assert answer.status_code == 200, path
    return answer.content.decode()


def shouts(found: dict[str, str]) -> dict[str, list[str]]:
    return {door: traces(text) for door, text in found.items() if traces(text)}


@pytest.mark.parametrize("canary", CANARIES.values(), ids=CANARIES)
@pytest.mark.parametrize("ends", ["returns", "raises"])
def test_of_a_run_that_repeats_them_in_every_way(doors, canary, ends):
    kwargs = {"key": canary, "ends": ends}
    options = {"kwargs": kwargs, "sensitive": ["key"], "id": "leaks"}
    scheduler.add_job(bodies.repeat, "interval", hours=1, **options)
    scheduler.run_now("leaks")
    run_due()
    (row,) = Execution.objects.all()
    assert row.status == ("succeeded" if ends == "returns" else "failed")
    assert traces(row.log)  # in the database it is in clear
    found = doors("leaks")
    assert shouts(found) == {}
    assert ("leaks failed" in found["mails"]) == (ends == "raises")


UNMARKED = {
    "under a name within": {"db": {"password": "canary-within", "port": 5432}},
    "in a list": [{"apiKey": "canary-in-list"}, 1],
    "in a header": {"X-Api-Key": "canary-header", "Accept": "text"},
    "what authorizes": "Bearer canary-bearer",
    "the password of a URL": "postgres://me:canary-url@db/shop",
    "a password with an @": "postgres://me:p@canary-at@db/shop",
    "the key of a URL": "https://canary-key@sentry.example/1",
    "a percent-encoded password": "amqp://me:canary%2Fencoded@mq/",
    "a parameter of a URL": ["https://shop.example/feed?page=1&access_token=canary-parameter"],
    "under a number": {"password_2": "canary-second", 3: {"dbPassword": "canary-third"}},
}


@pytest.mark.parametrize("canary", UNMARKED.values(), ids=UNMARKED)
@pytest.mark.parametrize("ends", ["returns", "raises"])
def test_of_an_argument_that_holds_one_and_is_not_marked(doors, canary, ends):
    scheduler.add_job(
        bodies.repeat, "interval", hours=1, id="leaks", kwargs={"key": canary, "ends": ends}
    )
    scheduler.modify_job("leaks", kwargs={"key": [canary], "ends": ends})
    scheduler.run_now("leaks")
    run_due()
    assert traces(Execution.objects.get().log)  # in the database it is in clear
    found = doors("leaks")
    assert shouts(found) == {}
    assert "returns" in found["job"] or "raises" in found["job"]  # the other argument is shown


@pytest.mark.parametrize("ends", ["returns", "raises"])
def test_of_a_credential_of_the_project_that_a_job_tells(doors, settings, capsys, ends):
    settings.APSCHEDULER_SECRETS = "tests.bodies.known_credentials"
    scheduler.add_job(
        bodies.tell_credential, "interval", hours=1, id="leaks", kwargs={"ends": ends}
    )
    scheduler.run_now("leaks")
    run_due()
    assert shouts(doors("leaks")) == {}
    assert traces(capsys.readouterr().out) == []


def test_of_a_credential_in_an_alert_that_concerns_no_run(doors, settings):
    settings.APSCHEDULER_SECRETS = "tests.bodies.known_credentials"
    alerts.tell(alerts.Alert("leader error", "", f"no answer from {bodies.CREDENTIAL}"))
    alerts.tell(alerts.Alert("leader error", "a", "no answer from redis://:p@canary-login@mq/0"))
    rows.leader()
    rows.job("leaks")
    found = doors("leaks")
    assert "no answer from" in found["mails"]
    assert traces(found["mails"]) == []


def test_of_a_credential_that_a_leader_complains_with(settings):
    settings.APSCHEDULER_SECRETS = "tests.bodies.known_credentials"
    node = Self(using="default")
    node.beat(Role.LEADER, "poll", f"ValueError: {bodies.CREDENTIAL} at redis://:canary@mq/0")
    assert traces(Node.objects.get().error) == []
    assert "ValueError" in Node.objects.get().error


@pytest.mark.parametrize("name", ["max_tokens", "key", "author", "monkey", "passenger", "cookies"])
def test_a_name_that_only_resembles_a_secret(name):
    assert not is_secret_name(name)


BROKEN = {
    "a value that its tag cannot read": '{"key":{"$decimal":"canary-1"}}',
    "a moment": '{"key":{"$datetime":"canary-2"}}',
    "inside a list": '{"key":[1,{"$uuid":"canary-3"}]}',
    "no JSON": '{"key":"canary-4",}',
    "JSON without an end": '{"key":"canary-5',
}


@pytest.mark.parametrize("kwargs", BROKEN.values(), ids=BROKEN)
def test_of_a_job_whose_arguments_cannot_be_decoded(doors, kwargs):
    rows.leader()
    rows.job("broken", kwargs=kwargs, sensitive='["key"]', func="tests.bodies:refuse")
    job = Job.objects.get()
    try:
        serialization.loads_kwargs(kwargs)
    except Exception as error:
        Job.objects.update(state="quarantined", last_error=f"{error}; kwargs {job.kwargs}")
    assert shouts(doors("broken")) == {}


@pytest.mark.parametrize(
    "tag", ["$decimal", "$datetime", "$uuid", "$bytes", "$timedelta", "$float"]
)
def test_an_error_of_decoding_repeats_nothing_of_the_value(tag):
    with pytest.raises(serialization.SerializationError) as refused:
        serialization.loads_kwargs(json.dumps({"key": {tag: "canary é"}}))
    assert tag in str(refused.value)
    assert "canary" not in str(refused.value)


def test_the_texts_of_a_secret_include_its_raw_json():
    row = rows.job(kwargs='{"key":{"$decimal":"12.50"}}', sensitive='["key"]')
    assert "12.50" in secret_texts(row)
