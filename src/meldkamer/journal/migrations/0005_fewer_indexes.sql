-- Every frame pays for every index before it is acknowledged, so only those stay that a screen or
-- a rule looks through. A known account is found through its site; what is left is the strangers.
DROP INDEX journal_frame_account;
CREATE INDEX journal_frame_stranger ON journal_frame (account, received_at DESC)
    WHERE site_id IS NULL;
-- The export reads frames and signals side by side in the order of time.
DROP INDEX journal_signal_frame;
CREATE INDEX journal_signal_frame ON journal_signal USING brin (frame_id);
-- One index is enough for "the most urgent first" and for "this one".
ALTER TABLE journal_pending DROP CONSTRAINT journal_pending_pkey;
DROP INDEX journal_pending_urgent;
ALTER TABLE journal_pending ADD PRIMARY KEY (urgency, signal_id);
