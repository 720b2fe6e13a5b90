from django.db import migrations, models

from scheduler.db.resumable import ResumableMigration
from scheduler.models.indexes import PartialIndex


class Migration(ResumableMigration):
    dependencies = [("scheduler", "0001_initial")]

    operations = [
        migrations.AddIndex(
            "execution",
            PartialIndex(
                fields=["status", "due_at"],
                name="scheduler_execution_open",
                rows=models.Q(("status", "queued"), ("status", "running"), _connector="OR"),
            ),
        ),
        migrations.AddIndex(
            "execution",
            PartialIndex(
                fields=["status", "executor", "due_at", "id"],
                name="scheduler_execution_head",
                rows=models.Q(("published_at__isnull", True), ("status", "queued")),
            ),
        ),
        migrations.AddIndex(
            "execution",
            PartialIndex(
                fields=["status", "executor", "priority", "due_at", "id"],
                name="scheduler_execution_first",
                rows=models.Q(("published_at__isnull", True), ("status", "queued")),
            ),
        ),
        migrations.AddIndex(
            "execution",
            PartialIndex(
                fields=["status", "finished_at"],
                name="scheduler_execution_endings",
                rows=models.Q(("finished_at__isnull", False)),
            ),
        ),
        migrations.AddIndex(
            "execution",
            PartialIndex(
                fields=["finished_at"],
                name="scheduler_execution_ages",
                rows=models.Q(("finished_at__isnull", False)),
            ),
        ),
        migrations.RemoveIndex("execution", "scheduler_execution_queue"),
        migrations.RemoveIndex("execution", "scheduler_execution_priority"),
        migrations.RemoveIndex("execution", "scheduler_execution_ended"),
        migrations.RemoveIndex("execution", "scheduler_execution_age"),
    ]
