"""Journal tables, partitioned and append-only; see `0001_tables.sql` beside this file."""

from pathlib import Path

from django.db import migrations

TABLES = Path(__file__).with_name("0001_tables.sql")


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.RunSQL(
            TABLES.read_text(),
            "DROP TABLE journal_frame, journal_signal, journal_entry, journal_pending,"
            " journal_first, journal_seal",
        ),
    ]
