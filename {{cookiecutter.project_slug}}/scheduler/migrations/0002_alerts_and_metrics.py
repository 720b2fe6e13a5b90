from django.db import migrations, models

import scheduler.models.fields


class Migration(migrations.Migration):
    dependencies = [
        ("scheduler", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
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
            ],
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
    ]
