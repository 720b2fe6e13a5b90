"""Chromium before a live server with real schedulers; no page may complain in its console."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from .rig import PASSWORD, USER, Rig, chromium, need

# What a browser complains about that no page of ours can help: tests.urls has no favicon.
HARMLESS = ("favicon.ico",)


@pytest.fixture(scope="package")
def rig(tmp_path_factory) -> Iterator[Rig]:
    rig = Rig(tmp_path_factory.mktemp("browser"))
    try:
        rig.start()
        rig.start_scheduler()
        rig.wait_until(
            lambda: rig.rows("select 1 from scheduler_execution where status = 'succeeded'"),
            "a first job has run",
        )
        rig.fail_and_override()
        yield rig
    finally:
        rig.stop()


@pytest.fixture(scope="package")  # while it is open, Django takes this thread for an event loop's
def browser() -> Iterator:
    playwright = need("playwright.sync_api")
    path = chromium()
    if path is None:
        message = "no Chromium here: apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def session(browser, rig) -> dict:
    """Cookies of a superuser."""
    context = browser.new_context(base_url=rig.url)
    page = context.new_page()
    page.goto("/admin/")
    page.fill("#id_username", USER)
    page.fill("#id_password", PASSWORD)
    page.press("#id_password", "Enter")
    page.wait_for_url("**/admin/")
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def open_page(browser, rig, session) -> Iterator:
    """Open pages, with options of a browser context; the test fails if any page complains."""
    contexts, complaints = [], []

    def heard(message) -> None:
        where = message.location.get("url", "")
        if message.type == "error" and not any(word in where for word in HARMLESS):
            complaints.append(f"{message.text} ({where})")

    def open_page(**options):
        context = browser.new_context(base_url=rig.url, storage_state=session, **options)
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", heard)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints


@pytest.fixture
def page(open_page):
    return open_page(viewport={"width": 1280, "height": 900})
