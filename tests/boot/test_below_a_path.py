"""The site below /app: by SCRIPT_NAME of gunicorn, or by a path in BASE_URL that a proxy strips."""

from __future__ import annotations

import re
from urllib.request import Request, urlopen

import pytest

from tests.boot.site import Site
from tests.boot.waiting import until

WEB = ("-m", "gunicorn")


def start(site: Site, prefix: str, **variables: str) -> None:
    site.start(*WEB, log="web.log", **variables)
    until(lambda: site.get(f"{prefix}/healthz")[0] == 200, 20, "answered by web")


def check_pages(site: Site, prefix: str) -> None:
    """``prefix`` is what web itself sees; all links begin with /app."""
    assert site.get(f"{prefix}/readyz") == (200, '{"ok": true, "reason": ""}')
    status, body = site.get(f"{prefix}/healthz/scheduler")
    assert status == 503
    assert "no scheduler has ever run" in body
    for page in ("/", "/admin/login/"):
        status, body = site.get(prefix + page)
        assert status == 200
        links = re.findall(r'(?:href|src)="(/[^"]*)"', body)
        assert links
        assert [link for link in links if not link.startswith("/app/")] == []
        static = [link for link in links if "/static/" in link]
        assert static
        assert {site.get(prefix + link.removeprefix("/app"))[0] for link in static} == {200}


def test_a_site_below_a_path_works_with_gunicorn_s_script_name(site: Site):
    start(site, "/app", SCRIPT_NAME="/app")
    check_pages(site, "/app")


def test_a_site_below_a_path_works_with_the_path_in_base_url(site: Site):
    site.write_settings(BASE_URL="https://example.com/app")
    start(site, "")
    check_pages(site, "")


def test_force_script_name_in_settings(site: Site):
    settings = site.path / "config" / "settings.py"
    settings.write_text(settings.read_text() + '\nFORCE_SCRIPT_NAME = "/app"\n')
    start(site, "")
    check_pages(site, "")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_come_by_address_there_too(site: Site, path: str):
    site.write_settings(BASE_URL="https://example.com/app", HTTPS="true")
    start(site, "")
    request = Request(f"http://127.0.0.1:{site.port}{path}", headers={"Host": "10.1.2.3"})
    with urlopen(request, timeout=5) as response:
        assert response.status == 200
