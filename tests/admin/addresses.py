"""The lists and pages whose cost is measured and whose plans are read."""

from __future__ import annotations

EXECUTIONS = "/admin/scheduler/execution/"
JOB = "shop.task_0001"
ADDRESSES = (
    "/admin/scheduler/",
    "/admin/scheduler/job/",
    "/admin/scheduler/job/?last=problems",
    "/admin/scheduler/job/?q=task_00&o=2",
    f"/admin/scheduler/job/{JOB.replace('_', '_5F')}/change/",
    EXECUTIONS,
    f"{EXECUTIONS}?status=problems",
    f"{EXECUTIONS}?status=lost&when=week",
    f"{EXECUTIONS}?status=succeeded&when=day",
    f"{EXECUTIONS}?status=open",
    f"{EXECUTIONS}?when=week",
    f"{EXECUTIONS}?job={JOB}",
    f"{EXECUTIONS}?job={JOB}&status=failed",
    f"{EXECUTIONS}?q=task_00",
    f"{EXECUTIONS}?q=task_00&status=lost&kind=manual",
    f"{EXECUTIONS}?kind=retry",
    f"{EXECUTIONS}?kind=retry&status=lost",
)
