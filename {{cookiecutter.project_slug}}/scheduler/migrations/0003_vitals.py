from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("scheduler", "0002_alerts_and_metrics"),
    ]

    operations = [
        migrations.AddField(
            model_name="node",
            name="loop_lag_seconds",
            field=models.FloatField(null=True),
        ),
        migrations.AddField(
            model_name="node",
            name="renew_seconds",
            field=models.FloatField(null=True),
        ),
        migrations.AddField(
            model_name="node",
            name="wake_latency_seconds",
            field=models.FloatField(null=True),
        ),
    ]
