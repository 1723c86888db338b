"""The sealed chain names its rows; see `0003_seal_marks.sql` beside this file."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).with_name("0003_seal_marks.sql")


class Migration(migrations.Migration):
    dependencies = [("journal", "0002_read_models")]
    operations = [
        migrations.RunSQL(
            SQL.read_text(),
            "DROP INDEX journal_frame_xact, journal_signal_xact, journal_entry_xact;"
            " ALTER TABLE journal_seal DROP COLUMN marks",
        ),
    ]
