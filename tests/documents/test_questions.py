"""Questions that users and operators ask: each is answered two steps from the README."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import Bake

ANSWERS = {
    "How do I add a job?": "README.md#write-a-job",
    "I edited the schedule; why has nothing changed?": "docs/jobs.md#write-one",
    "I changed a declared job; what does a deploy do?": "docs/jobs.md#overrides-and-deploys",
    "Which triggers and arguments are there?": "docs/jobs.md#triggers",
    "What happens at daylight saving?": "docs/jobs.md#daylight-saving",
    "May a job be async?": "docs/jobs.md#asynchronous-functions",
    "What may I pass as arguments?": "docs/jobs.md#arguments",
    "How do I run a job from the shell?": "docs/commands.md#scheduler-run",
    "Which settings are there?": "docs/settings.md#settings-of-the-scheduler",
    "How long is history kept?": "docs/operate.md#limits",
    "What is quarantine?": "docs/jobs.md#quarantine",
    "What do lost, missed and skipped mean?": "docs/jobs.md#outcomes",
    "How do I stop all jobs for a while?": "docs/operate.md#maintenance-windows",
    "How do I back up and restore?": "docs/operate.md#back-up-and-restore",
    "How do I upgrade packages and Django?": "docs/operate.md#upgrade",
    "How do I get the template's improvements?": "docs/operate.md#upgrade",
    "What about two versions of the code?": "docs/operate.md#upgrade",
    "Who may do what?": "docs/operate.md#who-may-do-what",
    "How many jobs, how often?": "docs/operate.md#limits",
    "How do I test a job?": "docs/jobs.md#test-one",
    "How do I rotate SECRET_KEY?": "docs/operate.md#rotate-the-secret-key",
    "Does it work with PgBouncer?": "docs/operate.md#poolers",
    "Which run does a log line belong to?": "docs/operate.md#log-lines-and-runs",
    "How do I move from django-apscheduler?": "docs/commands.md#import_django_apscheduler",
}


@pytest.fixture(scope="module")
def project(bake: Bake) -> Path:
    return bake()


def anchors(page: Path) -> set[str]:
    """As GitHub makes them from headings."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("question", ANSWERS)
def test_a_question_has_its_answer(project: Path, question: str):
    page, _, anchor = ANSWERS[question].partition("#")
    assert anchor in anchors(project / page)
    assert page == "README.md" or f"]({page})" in (project / "README.md").read_text()
