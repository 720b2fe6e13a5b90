"""Pages are in the language that a browser asks for; what machines ask for is not."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import translation

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def afterwards():
    with translation.override("en-us"):
        yield


@pytest.mark.parametrize(
    ("asked", "words", "lang"),
    [
        ("de-AT,en;q=0.5", "Es läuft kein Scheduler", "de"),
        ("es", "Ningún planificador en marcha", "es"),
        ("ja,fr", "No scheduler is running", "en"),
    ],
)
def test_the_landing_page_is_in_the_browsers_language(client: Client, asked, words, lang):
    answer = client.get("/", headers={"Accept-Language": asked})
    assert words in answer.content.decode()
    assert f'<html lang="{lang}' in answer.content.decode()
    assert "Accept-Language" in answer["Vary"]


@pytest.mark.parametrize(("asked", "words"), [("de", "Übersicht"), ("es", "Resumen")])
def test_so_is_the_admin(admin_client: Client, asked, words):
    page = admin_client.get("/admin/scheduler/", headers={"Accept-Language": asked})
    assert words in page.content.decode()


@pytest.mark.parametrize("url", ["/healthz", "/readyz", "/healthz/scheduler"])
def test_probes_read_the_same_in_every_language(client: Client, url):
    german, english = (client.get(url, headers={"Accept-Language": each}) for each in ("de", "en"))
    assert (german.status_code, "Vary" in german) == (english.status_code, False)
    assert german.content.split()[:3] == english.content.split()[:3]
