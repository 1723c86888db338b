"""An index of what was held back; see `0006_held_signals.sql` beside this file."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).with_name("0006_held_signals.sql")


class Migration(migrations.Migration):
    dependencies = [("journal", "0005_fewer_indexes")]
    operations = [migrations.RunSQL(SQL.read_text(), "DROP INDEX journal_entry_held")]
