-- The desk counts what was held back in the last day; it must not look through all that happened.
CREATE INDEX journal_entry_held ON journal_entry (provider_id, at) WHERE what = 'signal.held';
