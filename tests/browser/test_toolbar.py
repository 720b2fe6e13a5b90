"""The debug toolbar of a baked project, under its Content-Security-Policy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.boot.site import Site, copy_of, prepare
from tests.boot.waiting import until
from tests.conftest import Bake

from .rig import need

need("debug_toolbar")
pytestmark = pytest.mark.slow


@pytest.fixture
def site(bake: Bake, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    project = bake(project_slug="tools")
    prepare(project)
    with copy_of(project, tmp_path_factory.mktemp("tools") / "site") as site:
        yield site


def serve(site: Site, debug: str) -> None:
    """As `make run` does: with one worker, for the toolbar remembers pages in its memory."""
    site.write_settings(DEBUG=debug)
    words = ("--procfile", "Procfile.dev", "start", "--port", str(site.port), "web")
    server = site.start("-m", "honcho", *words)
    until(lambda: "Booting worker" in site.log(), 15, "up")
    until(lambda: answers(site), 15, "answering")
    assert server.poll() is None


def answers(site: Site) -> bool:
    try:
        return site.get("/healthz")[0] == 200
    except OSError:
        return False


def test_a_developer_sees_the_queries_of_a_page(browser, site: Site):
    serve(site, debug="true")
    page = browser.new_page(base_url=f"http://127.0.0.1:{site.port}")
    page.set_default_timeout(20_000)
    complaints: list[str] = []
    page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    panels = {
        "SQLPanel": "scheduler_lease",
        "TemplatesPanel": "home/index.html",
        "HeadersPanel": "X-Frame-Options",
    }
    for panel, text in panels.items():
        page.goto("/")
        page.wait_for_selector("#djShowToolBarButton")
        assert not page.locator("#djDebugToolbar").is_visible()  # it would lie on the page
        page.click("#djShowToolBarButton")
        page.click(f"#djdt-{panel} a")
        page.locator(f"#{panel} .djdt-scroll", has_text=text).wait_for(state="visible")
        page.click("#djHideToolBarButton")
    page.close()
    assert complaints == []


def test_production_has_no_toolbar(site: Site):
    serve(site, debug="false")
    status, page = site.get("/")
    assert status == 200
    assert not re.search("djdt|djDebug", page)


def test_the_server_s_packages_do_not_hold_it(bake: Bake):
    text = Path(bake() / "pyproject.toml").read_text()
    before, _, groups = text.partition("[dependency-groups]")
    assert "django-debug-toolbar" not in before
    assert "django-debug-toolbar" in groups.partition("deploy =")[0]
