"""Pages in a language that writes numbers otherwise: what machines read stays as it is."""

from __future__ import annotations

from datetime import timedelta
from html.parser import HTMLParser

import pytest
from django.utils import timezone
from scheduler.models import Lease, Node, Term

from .test_actions import ROW, make_execution

pytestmark = pytest.mark.django_db

PK, PID = 1_234_567, 54_321
PAGES = (
    "/admin/scheduler/",
    "/admin/scheduler/job/",
    f"/admin/scheduler/job/{ROW.replace('_', '_5F')}/change/",
    "/admin/scheduler/execution/",
    f"/admin/scheduler/execution/{PK}/change/",
    f"/admin/scheduler/execution/{PK}/delete/",
)
NUMBERS = {"x", "y", "x1", "x2", "y1", "y2", "width", "height", "viewbox", "data-live"}
SEPARATORS = (".", ",", "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}")


@pytest.fixture(params=["de", "fr", "en"])
def language(settings, request):
    settings.LANGUAGE_CODE = request.param
    settings.USE_THOUSAND_SEPARATOR = True


@pytest.fixture
def history(declared):
    """A leader, and runs that ended, run and wait, whose numbers are long."""
    now = timezone.now()
    node = Node.objects.create(
        role="leader", host="alpha", pid=PID, started_at=now, beat_at=now, ttl=60
    )
    lease = {"holder": node.pk, "term": 1, "expires_at": now + timedelta(minutes=1)}
    Lease.objects.update_or_create(id=1, defaults=lease)
    Term.objects.create(
        term=1, node_id=node.pk, host="alpha", pid=PID, acquired_at=now, cause="first"
    )
    ended = {"started_at": now - timedelta(seconds=40), "finished_at": now}
    for n, columns in enumerate(
        ({"status": "failed", **ended}, {"status": "running", "started_at": now}, {})
    ):
        make_execution(declared[ROW], pk=PK + n, attempt=n + 1, node_id=node.pk, **columns)


class Attributes(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.numbers: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.numbers += [part for name, text in attrs if name in NUMBERS for part in text.split()]


@pytest.mark.usefixtures("language", "history")
@pytest.mark.parametrize("url", PAGES)
def test_numbers_that_machines_read_are_in_no_language(admin_client, url):
    page = admin_client.get(url).content.decode()
    parser = Attributes()
    parser.feed(page)
    assert all(float(number.removesuffix("rem")) >= 0 for number in parser.numbers)
    for number in (PK, PID):
        for separator in SEPARATORS:
            assert f"{number:,}".replace(",", separator) not in page


@pytest.mark.usefixtures("language", "history")
def test_the_charts_are_drawn(admin_client):
    page = admin_client.get(PAGES[0]).content.decode()
    assert 'viewBox="0 0 1100 ' in page
    assert '<rect class="sch-fill-problems" x="' in page
    page = admin_client.get(f"/admin/scheduler/execution/{PK}/change/").content.decode()
    assert '<rect class="sch-fill-failed" x="' in page


@pytest.mark.usefixtures("language", "history")
def test_a_long_number_finds_its_execution(admin_client):
    answer = admin_client.get("/admin/scheduler/execution/", {"q": f"#{PK}"})
    assert [row.pk for row in answer.context["cl"].result_list] == [PK]
