"""Where a unit with a page was before it was known who said so: taken for where a person was.

So it is forgotten like any other; the page of a unit that is on duty tells it again at once.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("notify", "0018_push_without_last_taken")]
    operations = [
        migrations.RunSQL(
            "UPDATE notify_patrolunit SET place_shared = true"
            " WHERE has_page AND positioned_at IS NOT NULL AND seen_at IS NOT NULL",
            migrations.RunSQL.noop,
        ),
    ]
