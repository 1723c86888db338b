"""A cheaper index of the duplicate keys' age; see `0004_first_by_block.sql` beside this file."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).with_name("0004_first_by_block.sql")


class Migration(migrations.Migration):
    dependencies = [("journal", "0003_seal_marks")]
    operations = [
        migrations.RunSQL(
            SQL.read_text(),
            "DROP INDEX journal_first_age;"
            " CREATE INDEX journal_first_age ON journal_first (seen_at)",
        ),
    ]
