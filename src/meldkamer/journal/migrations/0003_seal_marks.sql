-- What was sealed, row by row (id and the head of its hash), so that a broken chain names its row.
ALTER TABLE journal_seal ADD COLUMN marks bytea NOT NULL DEFAULT '';

-- The sealer and the checker walk in the order of transactions; block ranges cost writers nothing.
CREATE INDEX journal_frame_xact ON journal_frame USING brin ((xact::text::bigint));
CREATE INDEX journal_signal_xact ON journal_signal USING brin ((xact::text::bigint));
CREATE INDEX journal_entry_xact ON journal_entry USING brin ((xact::text::bigint));
