"""Each row has the class of what it is about, so that in a backlog the urgent ones come first."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("agenda", "0001_initial")]
    operations = [
        migrations.AddField(
            "agendarow", "urgency", models.PositiveSmallIntegerField(default=5, db_default=5)
        ),
        migrations.AddIndex(
            "agendarow",
            models.Index(
                fields=["due", "id"],
                condition=Q(done_at__isnull=True, urgency__lte=2),
                name="agenda_urgent_by_due",
            ),
        ),
    ]
