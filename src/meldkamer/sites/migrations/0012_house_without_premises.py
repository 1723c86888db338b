"""The house has no premises to call: each carrier that fails is a zone with its own help desk."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("sites", "0011_sites_in_trial")]
    operations = [
        migrations.RunSQL(
            "UPDATE sites_site SET premises_phone = '', premises_person = '' WHERE house",
            migrations.RunSQL.noop,
        ),
    ]
