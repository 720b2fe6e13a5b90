"""A browser gets the pages in its language; whatever a machine reads is the same for all."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from contextlib import suppress

import pytest
from django.core.management import call_command
from django.utils import translation
from scheduler import triggers
from scheduler.models import Change, Execution, Job

from tests.admin.test_actions import ROW

from .conftest import PK

pytestmark = pytest.mark.django_db

# A word of each page by language.
WORDS = {
    "en": ("Last and next 24 hours", "Run now", "queued or running", "Slowest jobs"),
    "de": ("Letzte und nächste 24 Stunden", "Jetzt ausführen", "wartend oder laufend",
           "Langsamste Jobs"),
    "es": ("Últimas y próximas 24 horas", "Ejecutar ahora", "en cola o en curso",
           "Trabajos más lentos"),
}  # fmt: skip
PAGES = (
    "/admin/scheduler/",
    "/admin/scheduler/job/",
    "/admin/scheduler/execution/",
    "/admin/scheduler/execution/trends/",
)


@pytest.fixture(autouse=True)
def site(settings) -> Iterator[None]:
    """As in a project: the middleware behind sessions, and the languages that have catalogues."""
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("es", "Español")]
    settings.MIDDLEWARE = [
        settings.MIDDLEWARE[0],
        "django.middleware.locale.LocaleMiddleware",
        *settings.MIDDLEWARE[1:],
    ]
    with translation.override("en-us"):
        yield


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize("place", range(len(PAGES)))
def test_a_page_is_in_the_language_that_the_browser_asks_for(admin_client, language, place):
    answer = admin_client.get(PAGES[place], headers={"Accept-Language": f"{language},xx;q=0.5"})
    page = answer.content.decode()
    assert WORDS[language][place] in page
    others = [words[place] for other, words in WORDS.items() if other != language]
    assert not [words for words in others if words in page]
    assert f'lang="{language}' in page
    assert "Accept-Language" in answer["Vary"]


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize(
    "asked", ["fr", "ar,fa;q=0.9", "tlh", "xx-YY", "*", ";;;", "de;q=x", "\N{BULLET}"]
)
def test_a_language_without_catalogue_gets_english(admin_client, asked):
    page = admin_client.get(PAGES[0], headers={"Accept-Language": asked}).content.decode()
    assert WORDS["en"][0] in page
    assert 'lang="en' in page


@pytest.mark.usefixtures("history")
def test_dates_and_numbers_are_written_as_the_language_does(admin_client):
    page = admin_client.get(
        f"/admin/scheduler/execution/{PK}/change/", headers={"Accept-Language": "de"}
    ).content.decode()
    assert re.search(r"\b\d\d\.\d\d\.\d{4} \d\d:\d\d:\d\d\b", page)
    assert not re.search(r">\d{4}-\d\d-\d\d ", page)
    with translation.override("de"):
        from scheduler.admin.capped import Count
        from scheduler.formatting import duration

        assert duration(4.26) == "4,3 s"
        assert str(Count(4321)) == "4.321"
    with translation.override("en"):
        assert (duration(4.26), str(Count(4321))) == ("4.3 s", "4,321")


@pytest.mark.usefixtures("history")
def test_coordinates_and_addresses_have_no_decimal_comma(admin_client, settings):
    settings.USE_THOUSAND_SEPARATOR = True
    for url in (*PAGES, f"/admin/scheduler/execution/{PK}/change/",
                f"/admin/scheduler/execution/trends/?job={ROW}"):  # fmt: skip
        page = admin_client.get(url, headers={"Accept-Language": "de"}).content.decode()
        drawn = re.findall(r'\b(?:x|y|[xy][12]|c[xy]|r|d|width|height|viewBox)="([^"]*)"', page)
        assert drawn
        assert not [value for value in drawn if "," in value]
        assert not re.search(r'(?:href|action|data-live|datetime)="[^"]*\d[.,]\d{3}[./"]', page)


@pytest.mark.parametrize("language", ["de", "es"])
def test_what_is_stored_is_english(admin_client, declared, language):
    from django.contrib.admin.models import LogEntry

    url = f"/admin/scheduler/job/{ROW.replace('_', '_5F')}/"
    asks = {"Accept-Language": language}
    admin_client.post(f"{url}pause/", headers=asks)
    admin_client.post(f"{url}run/", headers=asks)
    admin_client.post(f"{url}delete/", {"post": "yes"}, headers=asks)
    told = [entry.change_message for entry in LogEntry.objects.order_by("pk")]
    assert told[0].startswith("Pause. state: active → paused")
    assert told[1].startswith("Run now: execution #")
    assert told[2].startswith("Removed. Was: function: tests.demo_app.jobs:sync_stock; arguments:")
    assert "trigger: Every 20 seconds" in told[2]
    assert Execution.objects.get().reason in ("", "its job was removed")
    assert set(Change.objects.values_list("action", flat=True)) >= {"paused", "removed"}


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize(
    "words", [["list"], ["list", "--json"], ["status"], ["show", ROW], ["history", ROW]]
)
def test_commands_say_the_same_in_every_language(words, settings):
    def said(language: str) -> str:
        settings.LANGUAGE_CODE = language
        with translation.override(language):
            out = io.StringIO()
            with suppress(SystemExit):  # how healthy it is
                call_command("scheduler", *words, stdout=out)
        assert out.getvalue()
        return re.sub(r"\d+(\.\d+)?", "0", out.getvalue())  # ages

    assert said("de") == said("en-us")


@pytest.mark.parametrize("language", ["de", "es"])
def test_a_trigger_is_described_in_the_language_and_stored_in_none(language):
    daily = triggers.build("crontab", expr="0 3 * * mon-fri", timezone="UTC")
    every = triggers.build("interval", minutes=5)
    english, stored = triggers.describe(daily), triggers.dumps(daily)
    with translation.override(language):
        words = triggers.describe(daily)
        assert triggers.dumps(daily) == stored
        assert triggers.describe(every).startswith(
            {"de": "Alle 5 Minuten", "es": "Cada 5"}[language]
        )
    assert words != english
    assert {"de": "Montag", "es": "lunes"}[language] in words
    assert not re.search("Monday|Friday|through", words)
    assert triggers.describe(daily) == english
    assert json.loads(stored)["type"] == "cron"


@pytest.mark.parametrize("language", ["de", "es", "ar"])
def test_no_language_asks_for_a_migration(language, settings):
    settings.LANGUAGE_CODE = language
    with translation.override(language):
        call_command("makemigrations", "--check", "--dry-run", stdout=io.StringIO())
    assert Job._meta.original_attrs.get("verbose_name") is None
