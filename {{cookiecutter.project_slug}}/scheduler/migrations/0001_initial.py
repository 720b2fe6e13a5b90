import uuid

from django.db import migrations, models

import scheduler.models.fields
import scheduler.models.indexes
from scheduler.db.resumable import ResumableMigration


class Migration(ResumableMigration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Lease",
            fields=[
                (
                    "id",
                    models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False),
                ),
                ("project", models.CharField(default="", max_length=255)),
                ("holder", models.UUIDField(help_text="id of a node; empty: free", null=True)),
                ("term", models.BigIntegerField(default=0)),
                ("beat", models.BigIntegerField(default=0)),
                ("acquired_at", models.DateTimeField(null=True)),
                ("renewed_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
                ("resign_requested", models.BooleanField(default=False)),
                (
                    "paused_at",
                    models.DateTimeField(help_text="since when no run is claimed", null=True),
                ),
                (
                    "zone_rules",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="fingerprint of the time zone rules by which the jobs are planned",
                        max_length=40,
                    ),
                ),
                (
                    "paused_by",
                    models.CharField(blank=True, db_default="", default="", max_length=150),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Node",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("leader", "leader"),
                            ("standby", "standby"),
                            ("draining", "draining"),
                            ("stopped", "stopped"),
                            ("worker", "worker"),
                        ],
                        default="standby",
                        max_length=8,
                    ),
                ),
                ("host", models.CharField(blank=True, max_length=255)),
                ("pid", models.PositiveIntegerField(default=0)),
                ("pid_start", models.CharField(blank=True, default="", max_length=32)),
                ("boot_id", models.CharField(blank=True, default="", max_length=64)),
                ("pid_ns", models.CharField(blank=True, default="", max_length=64)),
                ("wake_mode", models.CharField(blank=True, default="", max_length=8)),
                ("started_at", models.DateTimeField()),
                ("beat", models.BigIntegerField(default=0)),
                ("beat_at", models.DateTimeField()),
                (
                    "ttl",
                    models.FloatField(help_text="seconds without a beat after which it is dead"),
                ),
                (
                    "error",
                    models.TextField(
                        blank=True, default="", help_text="what the loop last stumbled over"
                    ),
                ),
                ("renew_seconds", models.FloatField(null=True)),
                ("loop_lag_seconds", models.FloatField(null=True)),
                ("wake_latency_seconds", models.FloatField(null=True)),
                ("busy_workers", models.PositiveIntegerField(null=True)),
                ("workers", models.PositiveIntegerField(null=True)),
                (
                    "publish_error",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="why nothing is published",
                        max_length=500,
                    ),
                ),
                (
                    "code",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="digest of its code",
                        max_length=16,
                    ),
                ),
            ],
            options={
                "ordering": ["started_at"],
            },
        ),
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("kind", models.CharField(blank=True, default="", max_length=20)),
                ("job_id", models.CharField(blank=True, default="", max_length=255)),
                ("text", models.TextField(blank=True, default="")),
                ("told", models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name="TallyMark",
            fields=[
                (
                    "id",
                    models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False),
                ),
                ("counted_up_to", models.BigIntegerField(default=0)),
                (
                    "complete_at",
                    models.DateTimeField(
                        help_text="when last nothing that had ended a minute ago was left to count",
                        null=True,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TallyOpen",
            fields=[
                ("execution_id", models.BigIntegerField(primary_key=True, serialize=False)),
            ],
        ),
        migrations.CreateModel(
            name="Term",
            fields=[
                ("term", models.BigIntegerField(primary_key=True, serialize=False)),
                ("node_id", models.UUIDField()),
                ("host", models.CharField(blank=True, max_length=255)),
                ("pid", models.PositiveIntegerField(default=0)),
                (
                    "cause",
                    models.CharField(
                        choices=[
                            ("first", "first start"),
                            ("released", "handed over"),
                            ("expired", "expired"),
                            ("gone", "process gone on this host"),
                            ("silent", "no renewal seen"),
                        ],
                        max_length=8,
                    ),
                ),
                ("acquired_at", models.DateTimeField()),
                (
                    "gap",
                    models.FloatField(
                        help_text="seconds since the last heartbeat of the leader before", null=True
                    ),
                ),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "code",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="digest of its code",
                        max_length=16,
                    ),
                ),
            ],
            options={
                "ordering": ["-term"],
            },
        ),
        migrations.CreateModel(
            name="Change",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("job_id", scheduler.models.fields.KeyField(max_length=255)),
                ("job_uid", models.UUIDField()),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("added", "added"),
                            ("changed", "changed"),
                            ("paused", "paused"),
                            ("resumed", "resumed"),
                            ("removed", "removed"),
                            ("retired", "retired"),
                            ("quarantined", "quarantined"),
                            ("released", "released from quarantine"),
                            ("moved", "moved by new time zone rules"),
                        ],
                        max_length=12,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("by", models.CharField(blank=True, default="", max_length=150)),
                ("before", models.TextField(default="{}")),
                ("after", models.TextField(default="{}")),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["job_uid", "id"], name="scheduler_change_by_job"),
                    models.Index(fields=["at"], name="scheduler_change_age"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Execution",
            fields=[
                (
                    "func",
                    models.CharField(
                        help_text="module:function", max_length=255, verbose_name="function"
                    ),
                ),
                (
                    "args",
                    models.TextField(default="[]", help_text="JSON", verbose_name="arguments"),
                ),
                (
                    "kwargs",
                    models.TextField(
                        default="{}", help_text="JSON", verbose_name="keyword arguments"
                    ),
                ),
                ("executor", models.CharField(default="default", max_length=64)),
                ("max_instances", models.PositiveIntegerField(default=1)),
                (
                    "timeout",
                    models.FloatField(
                        blank=True,
                        help_text="seconds; not for threads, which cannot be ended",
                        null=True,
                    ),
                ),
                ("warn_after", models.FloatField(blank=True, help_text="seconds", null=True)),
                ("max_retries", models.PositiveIntegerField(default=0)),
                ("retry_delay", models.FloatField(default=0.0, help_text="seconds")),
                (
                    "on_lost",
                    models.CharField(
                        choices=[
                            ("fail", "record it as lost"),
                            ("retry", "run it again (the job is idempotent)"),
                        ],
                        default="fail",
                        max_length=8,
                    ),
                ),
                (
                    "sensitive",
                    models.TextField(
                        default="[]", help_text="JSON list of argument names that no page shows"
                    ),
                ),
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("job_id", scheduler.models.fields.KeyField(max_length=255)),
                ("job_uid", models.UUIDField()),
                ("job_name", models.CharField(blank=True, max_length=255)),
                ("scheduled_run_time", models.DateTimeField(blank=True, null=True)),
                (
                    "last_run_time",
                    models.DateTimeField(
                        blank=True,
                        help_text="last slot of a stretch; empty for a single slot",
                        null=True,
                    ),
                ),
                (
                    "slots",
                    models.PositiveIntegerField(
                        default=1, help_text="how many slots the row stands for"
                    ),
                ),
                ("attempt", models.PositiveIntegerField(default=1)),
                (
                    "first_attempt",
                    models.BigIntegerField(help_text="id of the attempt number 1", null=True),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("schedule", "schedule"),
                            ("manual", "run now"),
                            ("retry", "retry"),
                            ("task", "task"),
                        ],
                        default="schedule",
                        max_length=8,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("queued", "queued"),
                            ("running", "running"),
                            ("succeeded", "succeeded"),
                            ("failed", "failed"),
                            ("timed_out", "timed out"),
                            ("missed", "missed"),
                            ("skipped", "skipped"),
                            ("lost", "lost"),
                            ("cancelled", "cancelled"),
                        ],
                        default="queued",
                        max_length=10,
                    ),
                ),
                ("reason", models.TextField(blank=True, default="")),
                ("due_at", models.DateTimeField()),
                ("queued_at", models.DateTimeField()),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("cancel_requested_at", models.DateTimeField(blank=True, null=True)),
                ("term", models.BigIntegerField(blank=True, null=True)),
                ("node_id", models.UUIDField(blank=True, null=True)),
                ("requested_by", models.CharField(blank=True, default="", max_length=150)),
                (
                    "publication",
                    models.PositiveIntegerField(
                        db_default=0,
                        default=0,
                        help_text="how often it was published to the workers",
                    ),
                ),
                (
                    "published_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="when it was published last; empty once it was taken back",
                        null=True,
                    ),
                ),
                (
                    "priority",
                    models.SmallIntegerField(
                        default=0, help_text="of what is due, higher ones start first"
                    ),
                ),
                (
                    "task_backend",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="alias in TASKS; empty for a job",
                        max_length=64,
                    ),
                ),
                ("task_queue", models.CharField(blank=True, default="", max_length=64)),
                ("exception", models.TextField(blank=True, default="")),
                (
                    "exception_class",
                    models.CharField(
                        blank=True, default="", help_text="module.Class", max_length=255
                    ),
                ),
                ("traceback", models.TextField(blank=True, default="")),
                ("log", models.TextField(blank=True, default="")),
                ("return_value", models.TextField(blank=True, default="", help_text="JSON")),
            ],
            options={
                "ordering": ["-id"],
                "permissions": [("cancel_execution", "Can cancel an execution")],
                "indexes": [
                    models.Index(fields=["status", "due_at"], name="scheduler_execution_queue"),
                    models.Index(
                        fields=["status", "priority", "due_at"], name="scheduler_execution_priority"
                    ),
                    models.Index(fields=["job_id", "id"], name="scheduler_execution_by_job"),
                    models.Index(
                        fields=["status", "finished_at"], name="scheduler_execution_ended"
                    ),
                    models.Index(fields=["finished_at"], name="scheduler_execution_age"),
                    scheduler.models.indexes.PartialIndex(
                        fields=["status", "published_at"],
                        name="scheduler_execution_published",
                        rows=models.Q(("published_at__isnull", False)),
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("job_uid", "scheduled_run_time", "attempt"),
                        name="scheduler_execution_one_per_slot",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Job",
            fields=[
                (
                    "func",
                    models.CharField(
                        help_text="module:function", max_length=255, verbose_name="function"
                    ),
                ),
                (
                    "args",
                    models.TextField(default="[]", help_text="JSON", verbose_name="arguments"),
                ),
                (
                    "kwargs",
                    models.TextField(
                        default="{}", help_text="JSON", verbose_name="keyword arguments"
                    ),
                ),
                ("executor", models.CharField(default="default", max_length=64)),
                ("max_instances", models.PositiveIntegerField(default=1)),
                (
                    "timeout",
                    models.FloatField(
                        blank=True,
                        help_text="seconds; not for threads, which cannot be ended",
                        null=True,
                    ),
                ),
                ("warn_after", models.FloatField(blank=True, help_text="seconds", null=True)),
                ("max_retries", models.PositiveIntegerField(default=0)),
                ("retry_delay", models.FloatField(default=0.0, help_text="seconds")),
                (
                    "on_lost",
                    models.CharField(
                        choices=[
                            ("fail", "record it as lost"),
                            ("retry", "run it again (the job is idempotent)"),
                        ],
                        default="fail",
                        max_length=8,
                    ),
                ),
                (
                    "sensitive",
                    models.TextField(
                        default="[]", help_text="JSON list of argument names that no page shows"
                    ),
                ),
                (
                    "id",
                    scheduler.models.fields.KeyField(
                        max_length=255, primary_key=True, serialize=False
                    ),
                ),
                ("uid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("name", models.CharField(blank=True, max_length=255)),
                ("trigger", models.TextField(help_text="JSON")),
                (
                    "planned_trigger",
                    models.TextField(
                        editable=False, help_text="the trigger that next_run_time was computed from"
                    ),
                ),
                (
                    "rescheduled",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Case(
                            models.When(then=models.Value(0), trigger=models.F("planned_trigger")),
                            default=models.Value(1),
                        ),
                        help_text="1 while planned_trigger is another trigger",
                        output_field=models.PositiveSmallIntegerField(),
                    ),
                ),
                ("coalesce", models.BooleanField(default=True)),
                (
                    "misfire_grace_time",
                    models.PositiveIntegerField(
                        blank=True, help_text="seconds; empty: however late", null=True
                    ),
                ),
                ("next_run_time", models.DateTimeField(blank=True, null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("active", "active"),
                            ("paused", "paused"),
                            ("finished", "finished"),
                            ("quarantined", "quarantined"),
                            ("retired", "retired"),
                        ],
                        default="active",
                        max_length=12,
                    ),
                ),
                ("last_error", models.TextField(blank=True, default="")),
                ("declared", models.BooleanField(default=False, editable=False)),
                (
                    "declaration_digest",
                    models.CharField(blank=True, default="", editable=False, max_length=64),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "ordering": ["id"],
                "permissions": [
                    ("run_job", "Can run a job now"),
                    ("pause_job", "Can pause and resume jobs"),
                ],
                "indexes": [
                    models.Index(fields=["state", "next_run_time"], name="scheduler_job_due"),
                    scheduler.models.indexes.PartialIndex(
                        fields=["rescheduled", "id"],
                        name="scheduler_job_rescheduled",
                        rows=models.Q(("rescheduled", 1)),
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Tally",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "job_id",
                    scheduler.models.fields.KeyField(
                        help_text="empty: all one-off jobs together", max_length=255
                    ),
                ),
                ("status", models.CharField(max_length=10)),
                ("runs", models.BigIntegerField(default=0)),
                ("run_seconds", models.FloatField(default=0.0)),
                ("lag_seconds", models.FloatField(default=0.0)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("job_id", "status"), name="scheduler_tally_one")
                ],
            },
        ),
        migrations.CreateModel(
            name="Trend",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "span",
                    models.CharField(
                        choices=[
                            ("hour", "all jobs, by hour"),
                            ("job_hour", "one job, by hour"),
                            ("job_day", "one job, by day"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "job_id",
                    scheduler.models.fields.KeyField(
                        help_text="empty: all jobs, or all one-off jobs together", max_length=255
                    ),
                ),
                ("start", models.DateTimeField()),
                ("succeeded", models.PositiveIntegerField(default=0)),
                ("failed", models.PositiveIntegerField(default=0)),
                ("timed_out", models.PositiveIntegerField(default=0)),
                ("missed", models.PositiveIntegerField(default=0)),
                ("skipped", models.PositiveIntegerField(default=0)),
                ("lost", models.PositiveIntegerField(default=0)),
                ("cancelled", models.PositiveIntegerField(default=0)),
                (
                    "ran",
                    models.PositiveIntegerField(default=0, help_text="runs that started and ended"),
                ),
                ("run_seconds", models.FloatField(default=0.0)),
                ("longest", models.FloatField(default=0.0, help_text="seconds")),
                (
                    "run_buckets",
                    models.TextField(default="{}", help_text="JSON: number of runs by duration"),
                ),
                (
                    "lag_buckets",
                    models.TextField(default="{}", help_text="JSON: number of runs by start lag"),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["span", "start"], name="scheduler_trend_by_time")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("span", "job_id", "start"), name="scheduler_trend_one"
                    )
                ],
            },
        ),
    ]
