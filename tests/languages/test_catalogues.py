"""Each language has every message, with its placeholders; what is compiled is what is written."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from tests.settings import TEMPLATE

APPS = ("scheduler", "home")
LANGUAGES = ("de", "es")
CATALOGUES = [(app, language) for app in APPS for language in LANGUAGES]
PLACEHOLDER = re.compile(r"%\(\w+\)s|%%|</?\w+[^>]*>|\{[^}]*\}|@\w+|^[, ]+")
HOW = "make messages brings the catalogues up to date"


def file(app: str, language: str, ending: str = "po") -> Path:
    return TEMPLATE / app / "locale" / language / "LC_MESSAGES" / f"django.{ending}"


def written(app: str, language: str) -> Catalog:
    return read_po(file(app, language).open("rb"), locale=language)


def forms(message: Message) -> list[tuple[str, str]]:
    """Each text with its translation."""
    if isinstance(message.id, str):
        return [(message.id, str(message.string))]
    one, many = message.id
    return [(one if n == 0 else many, text) for n, text in enumerate(message.string)]


@pytest.fixture(scope="module", params=APPS)
def sources(request, tmp_path_factory) -> tuple[str, Catalog]:
    """An app, and all messages that xgettext finds in it."""
    if shutil.which("xgettext") is None:
        message = "no xgettext here: apt-get install gettext"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    app = tmp_path_factory.mktemp("messages") / request.param
    shutil.copytree(TEMPLATE / request.param, app, ignore=shutil.ignore_patterns("locale"))
    (app / "locale").mkdir()
    command = [sys.executable, "-m", "django", "makemessages", "--locale=de"]
    subprocess.run(
        command, cwd=app, check=True, capture_output=True,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings",
             "PYTHONPATH": str(TEMPLATE.parent)},
    )  # fmt: skip
    return request.param, read_po((app / "locale/de/LC_MESSAGES/django.po").open("rb"))


def keys(catalogue: Catalog) -> set[tuple[object, object]]:
    return {(each.context, each.id) for each in catalogue if each.id}


def said(catalogue: Catalog) -> dict[tuple[str | None, tuple[str, ...]], list[str]]:
    """Context and message with its translations."""
    return {
        (each.context, tuple(text for text, _ in forms(each))): [text for _, text in forms(each)]
        for each in catalogue
        if each.id
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_message_is_missing_and_none_is_left_over(sources, language):
    app, found = sources
    assert len(keys(found)) > 20
    assert keys(written(app, language)) == keys(found), HOW


@pytest.mark.parametrize(("app", "language"), CATALOGUES)
def test_every_message_is_translated(app, language):
    catalogue = written(app, language)
    assert not catalogue.obsolete
    for message in catalogue:
        if not message.id:
            continue
        assert not message.fuzzy, message.id
        assert all(text.strip() for _, text in forms(message)), message.id
        assert len(forms(message)) == (1 if isinstance(message.id, str) else catalogue.num_plurals)


@pytest.mark.parametrize(("app", "language"), CATALOGUES)
def test_a_translation_has_the_placeholders_and_tags_of_its_message(app, language):
    for message in written(app, language):
        for text, translated in forms(message) if message.id else ():
            ours, theirs = (Counter(PLACEHOLDER.findall(each)) for each in (text, translated))
            assert ours == theirs, text
            assert text.endswith((".", ":", "?")) == translated.endswith((".", ":", "?")), text


@pytest.mark.parametrize(("app", "language"), CATALOGUES)
def test_what_is_compiled_is_what_is_written(app, language):
    compiled = read_mo(file(app, language, "mo").open("rb"))
    assert said(written(app, language)) == said(compiled), HOW


@pytest.mark.parametrize("language", LANGUAGES)
def test_two_apps_say_the_same_where_they_ask_the_same(language):
    """Django merges the catalogues of all apps into one."""
    both = [said(written(app, language)) for app in APPS]
    shared = both[0].keys() & both[1].keys()
    assert shared
    assert {key: both[0][key] for key in shared} == {key: both[1][key] for key in shared}


def test_a_baked_project_has_the_catalogues_as_they_are(bake):
    project = bake(project_slug="words")
    for app, language in CATALOGUES:
        for ending in ("po", "mo"):
            ours = file(app, language, ending)
            copy = project / ours.relative_to(TEMPLATE)
            assert copy.read_bytes() == ours.read_bytes()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_button_of_django_s_list_is_not_called_as_our_column(language):
    """Django 6.1 has a button "Run"; catalogues are one, and "Lauf" is nothing to press."""
    catalogue = written("scheduler", language)
    assert catalogue.get("Run") is None
    assert catalogue.get("Run", context="one run of a job").string
