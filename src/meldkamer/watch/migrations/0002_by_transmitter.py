"""Line tests are watched by transmitter; mains and what is to be reported get tables.

What was expected of a site is expected of each of its transmitters; its open agenda row becomes one
row for each.
"""

import django.db.models.deletion
from django.db import migrations, models

_KEEP = "CREATE TABLE watch_was AS TABLE watch_linetestwatch"
_BACK = """
INSERT INTO watch_linetestwatch
    (transmitter_id, site_id, expected_at, missed, last_test_at, unsupervised_since)
SELECT t.id, w.site_id, w.expected_at, w.missed, w.last_test_at,
    CASE WHEN w.missed > 3 THEN w.expected_at END
FROM watch_was w JOIN sites_transmitter t ON t.site_id = w.site_id AND t.active
"""
_AGENDA = """
INSERT INTO agenda_agendarow
    (kind, subject, due, rank, payload, created_at, attempts, last_fault)
SELECT a.kind, 'transmitter:' || w.transmitter_id, a.due, a.rank,
    jsonb_build_object('site', w.site_id, 'transmitter', w.transmitter_id), a.created_at, 0, ''
FROM agenda_agendarow a JOIN watch_linetestwatch w ON a.subject = 'site:' || w.site_id
WHERE a.kind = 'line_test.due' AND a.done_at IS NULL
"""
_STRIKE = """
UPDATE agenda_agendarow SET done_at = now()
WHERE kind = 'line_test.due' AND done_at IS NULL AND subject LIKE 'site:%'
"""


class Migration(migrations.Migration):
    dependencies = [
        ("watch", "0001_initial"),
        ("sites", "0004_what_is_expected"),
        ("agenda", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(_KEEP, migrations.RunSQL.noop),
        migrations.DeleteModel(name="LineTestWatch"),
        migrations.CreateModel(
            name="LineTestWatch",
            fields=[
                (
                    "transmitter",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="line_test_watch",
                        serialize=False,
                        to="sites.transmitter",
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="line_test_watches",
                        to="sites.site",
                    ),
                ),
                ("expected_at", models.DateTimeField()),
                ("missed", models.PositiveIntegerField(default=0)),
                ("last_test_at", models.DateTimeField(null=True)),
                ("unsupervised_since", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("unsupervised_since__isnull", False)),
                        fields=["unsupervised_since"],
                        name="not_supervised",
                    )
                ],
            },
        ),
        migrations.RunSQL(_BACK, migrations.RunSQL.noop),
        migrations.RunSQL(_STRIKE, migrations.RunSQL.noop),
        migrations.RunSQL(_AGENDA, migrations.RunSQL.noop),
        migrations.RunSQL("DROP TABLE watch_was", migrations.RunSQL.noop),
        migrations.CreateModel(
            name="AreaArming",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("area", models.CharField(max_length=8)),
                ("armed", models.BooleanField()),
                ("changed_at", models.DateTimeField()),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="area_armings",
                        to="sites.site",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("site", "area"), name="one_state_per_area")
                ],
            },
        ),
        migrations.CreateModel(
            name="Mains",
            fields=[
                (
                    "site",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="mains",
                        serialize=False,
                        to="sites.site",
                    ),
                ),
                (
                    "provider",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="sites.provider",
                    ),
                ),
                ("postal_code", models.CharField(blank=True, max_length=10)),
                ("latitude", models.FloatField(null=True)),
                ("longitude", models.FloatField(null=True)),
                ("failed_at", models.DateTimeField()),
                ("restored_at", models.DateTimeField(null=True)),
                ("counts", models.BooleanField(default=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["provider", "postal_code", "failed_at"], name="mains_by_code"
                    ),
                    models.Index(
                        fields=["provider", "latitude", "longitude"], name="mains_by_position"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReportLine",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to="sites.site"
                    ),
                ),
                (
                    "provider",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="sites.provider",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("line_test", "test message missed"),
                            ("undefined", "undefined code"),
                        ],
                        max_length=12,
                    ),
                ),
                ("code", models.CharField(max_length=24)),
                ("count", models.PositiveIntegerField(default=1)),
                ("first_at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
                ("reported_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("reported_at__isnull", True)),
                        fields=["provider"],
                        name="lines_to_report",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("reported_at__isnull", True)),
                        fields=("site", "kind", "code"),
                        name="one_line_until_it_is_reported",
                    )
                ],
            },
        ),
    ]
