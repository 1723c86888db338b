"""What the desk reads when tens of thousands of incidents are open."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("incidents", "0006_duress_beside_a_holdup")]
    operations = [
        migrations.AddIndex(
            "incident",
            models.Index(
                fields=["priority", "opened_at", "id"],
                condition=Q(state="queued"),
                name="free_incidents_by_priority",
            ),
        ),
        migrations.AddIndex(
            "incident",
            models.Index(
                fields=["due"], condition=Q(closed_at__isnull=True), name="open_incidents_by_due"
            ),
        ),
        migrations.AddIndex(
            "incident", models.Index(fields=["closed_at"], name="closed_incidents_by_time")
        ),
    ]
