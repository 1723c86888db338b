from django.db import migrations

# what the rights are renewed to after every migration (journal.grants), from this one on
REVOKE = """
DO $$ BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'meldkamer_app') THEN
    REVOKE UPDATE, DELETE, TRUNCATE ON notify_messagetemplate FROM meldkamer_app;
  END IF;
END $$
"""


class Migration(migrations.Migration):

    dependencies = [
        ("notify", "0012_outbox_by_hour"),
    ]

    operations = [
        migrations.RunSQL(REVOKE, migrations.RunSQL.noop),
    ]
