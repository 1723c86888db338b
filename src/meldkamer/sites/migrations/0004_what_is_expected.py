"""Clock times of line tests, transmitters that need not test, repeats of a late closing."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sites", "0003_sheet_change")]

    operations = [
        migrations.AddField(
            model_name="openinghours",
            name="repeat_s",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="site",
            name="test_times",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.TimeField(), blank=True, default=list, size=None
            ),
        ),
        migrations.AddField(
            model_name="transmitter",
            name="supervised",
            field=models.BooleanField(default=True),
        ),
        migrations.AddIndex(
            model_name="site",
            index=models.Index(
                fields=["provider", "latitude", "longitude"], name="sites_by_position"
            ),
        ),
    ]
