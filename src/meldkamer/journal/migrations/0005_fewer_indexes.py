"""Fewer indexes on what every frame writes; see `0005_fewer_indexes.sql` beside this file."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).with_name("0005_fewer_indexes.sql")
BACK = """
DROP INDEX journal_frame_stranger;
CREATE INDEX journal_frame_account ON journal_frame (account, received_at DESC);
DROP INDEX journal_signal_frame;
CREATE INDEX journal_signal_frame ON journal_signal (frame_id);
ALTER TABLE journal_pending DROP CONSTRAINT journal_pending_pkey;
ALTER TABLE journal_pending ADD PRIMARY KEY (signal_id);
CREATE INDEX journal_pending_urgent ON journal_pending (urgency, signal_id);
"""


class Migration(migrations.Migration):
    dependencies = [("journal", "0004_first_by_block")]
    operations = [migrations.RunSQL(SQL.read_text(), BACK)]
