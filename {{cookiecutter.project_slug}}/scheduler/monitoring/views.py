"""The HTTP answers for monitoring: ``/healthz/scheduler`` and ``/metrics``."""

from __future__ import annotations

import logging
import math
from importlib.util import find_spec

from django.db.utils import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare

from ..conf import conf
from ..db.clock import monotonic
from . import alerts
from . import health as reading
from .metrics import RowCollector

logger = logging.getLogger("scheduler.health")


def health(request: HttpRequest) -> HttpResponse:
    """Answer ``/healthz/scheduler``: 200, or 503 with the reason. It names no host."""
    try:
        result = reading.read()
    except DatabaseError as error:
        result = reading.Health(
            {
                "database": f"the scheduler's tables cannot be read ({type(error).__name__}): is "
                "the database reachable, and has manage.py migrate been run?"
            }
        )
    else:
        _tell(result)
    headers = {"Cache-Control": "no-store"}
    return JsonResponse(result.as_dict(), status=200 if result.ok else 503, headers=headers)


def metrics(request: HttpRequest) -> HttpResponse:
    """Answer ``/metrics`` to ``Authorization: Bearer`` and the token; 404 while no token is set."""
    token = conf().METRICS_TOKEN
    if not token:
        return _plain("No metrics: APSCHEDULER_METRICS_TOKEN is not set.", 404)
    if not constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {token}"):
        answer = _plain("Send Authorization: Bearer TOKEN.", 401)
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer
    if find_spec("prometheus_client") is None:
        return _plain("No metrics: python -m pip install prometheus-client", 501)
    from prometheus_client import CollectorRegistry
    from prometheus_client.exposition import choose_encoder

    registry = CollectorRegistry(auto_describe=False)
    registry.register(RowCollector())
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(
        encode(registry), content_type=content_type, headers={"Cache-Control": "no-store"}
    )


_told_alone = -math.inf


def _tell(health: reading.Health) -> None:
    """Alert that there is no leader, also while the database can be read but not written.

    Then no process knows what the others have sent: each sends once in the same time.
    """
    global _told_alone
    try:
        alerts.on_health(health)
    except DatabaseError as error:
        if _told_alone + alerts.NO_LEADER_INTERVAL.total_seconds() <= monotonic():
            _told_alone = monotonic()
            logger.error(
                "The database cannot be written, so each process reports alone: no leader (%s)",
                error,
            )
            alerts.tell(alerts.Alert("no leader", "", health.reason))


def _plain(text: str, status: int) -> HttpResponse:
    return HttpResponse(text + "\n", content_type="text/plain", status=status)
