-- Only the purge looks for old keys; block ranges serve it and cost the writers nothing.
DROP INDEX journal_first_age;
CREATE INDEX journal_first_age ON journal_first USING brin (seen_at);
