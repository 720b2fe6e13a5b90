"""The lists and pages whose cost is measured and whose plans are read."""

from __future__ import annotations

EXECUTIONS = "/admin/scheduler/execution/"
JOB = "shop.task_0001"
ADDRESSES = (
    "/admin/scheduler/",
    f"{EXECUTIONS}trends/",
    f"{EXECUTIONS}trends/?period=month",
    f"{EXECUTIONS}trends/?period=quarter&job={JOB}",
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
    f"{EXECUTIONS}?by=nobody",
    f"{EXECUTIONS}?node=elsewhere",
    f"{EXECUTIONS}?node=db1&error=no+such",
    f"{EXECUTIONS}?error=nowhere",
    f"{EXECUTIONS}?error=nowhere&status=failed&when=week",
    f"{EXECUTIONS}?error=nowhere&job={JOB}",
    f"{EXECUTIONS}?kind=retry&status=lost",
)
# Those whose times stand in docs/admin.md.
NAMES = {
    "/admin/scheduler/": "overview",
    f"{EXECUTIONS}trends/": "trends of 24 hours",
    f"{EXECUTIONS}trends/?period=month": "trends of 30 days",
    f"{EXECUTIONS}trends/?period=quarter&job={JOB}": "trends of one job, 90 days",
    "/admin/scheduler/job/": "jobs",
    "/admin/scheduler/job/?last=problems": "jobs whose last run failed",
    "/admin/scheduler/job/?q=task_00&o=2": "search of jobs, ordered by next run",
    f"/admin/scheduler/job/{JOB.replace('_', '_5F')}/change/": "one job",
    EXECUTIONS: "executions",
    f"{EXECUTIONS}?status=problems": "executions with problems",
    f"{EXECUTIONS}?status=succeeded&when=day": "succeeded in the last day",
    f"{EXECUTIONS}?job={JOB}&status=failed": "failed runs of one job",
    f"{EXECUTIONS}?q=task_00": "search by a part of a job's name",
    f"{EXECUTIONS}?error=nowhere": "search in messages",
    f"{EXECUTIONS}1/change/": "one execution",
}
