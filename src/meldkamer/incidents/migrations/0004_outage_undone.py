"""A general outage may be undone by a supervisor (S10.2)."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("incidents", "0003_what_transmitters_send"),
        ("sites", "0004_what_is_expected"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="areaoutage",
            name="undo_reason",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name="areaoutage",
            name="undone_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="areaoutage",
            name="undone_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="areaoutage",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", True)),
                fields=["provider", "postal_code"],
                name="outages_that_run",
            ),
        ),
        migrations.AddConstraint(
            model_name="areaoutage",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("undone_at__isnull", True),
                    models.Q(
                        ("ended_at__isnull", False), models.Q(("undo_reason", ""), _negated=True)
                    ),
                    _connector="OR",
                ),
                name="an_outage_undone_has_ended_with_a_reason",
            ),
        ),
    ]
