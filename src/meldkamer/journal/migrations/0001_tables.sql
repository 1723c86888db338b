-- The journal: append-only, partitioned by month, written by INSERT alone.
-- xact lets the sealer chain only what can no longer change under it.
CREATE TABLE journal_frame (
    id bigint GENERATED ALWAYS AS IDENTITY,
    received_at timestamptz NOT NULL,
    transport text NOT NULL,
    source text NOT NULL DEFAULT '',
    raw bytea NOT NULL,
    protocol text NOT NULL DEFAULT 'dc09',
    token text NOT NULL DEFAULT '',
    account text NOT NULL DEFAULT '',
    receiver text,
    line text,
    seq text NOT NULL DEFAULT '',
    encrypted boolean NOT NULL DEFAULT false,
    disposition text NOT NULL,
    reasons text[] NOT NULL DEFAULT '{}',
    duplicate_of bigint,
    panel_time timestamptz,
    clock_skew_s integer,
    content text NOT NULL DEFAULT '',
    xdata jsonb NOT NULL DEFAULT '[]',
    reply text NOT NULL DEFAULT 'none',
    transmitter_id bigint,
    site_id bigint,
    xact xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (id, received_at)
) PARTITION BY RANGE (received_at);
CREATE TABLE journal_frame_rest PARTITION OF journal_frame DEFAULT;
CREATE INDEX journal_frame_site ON journal_frame (site_id, received_at DESC);
CREATE INDEX journal_frame_account ON journal_frame (account, received_at DESC);

CREATE TABLE journal_signal (
    id bigint GENERATED ALWAYS AS IDENTITY,
    received_at timestamptz NOT NULL,
    frame_id bigint,
    ordinal smallint NOT NULL DEFAULT 0,
    site_id bigint,
    transmitter_id bigint,
    account text NOT NULL DEFAULT '',
    origin text NOT NULL,
    code text NOT NULL,
    protocol text NOT NULL DEFAULT '',
    role text NOT NULL,
    type text NOT NULL,
    klass text NOT NULL DEFAULT '',
    zone text,
    area text,
    user_no text,
    text text,
    panel_time timestamptz,
    detail jsonb NOT NULL DEFAULT '{}',
    xact xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (id, received_at)
) PARTITION BY RANGE (received_at);
CREATE TABLE journal_signal_rest PARTITION OF journal_signal DEFAULT;
CREATE INDEX journal_signal_site ON journal_signal (site_id, received_at DESC);
CREATE INDEX journal_signal_frame ON journal_signal (frame_id);

CREATE TABLE journal_entry (
    id bigint GENERATED ALWAYS AS IDENTITY,
    at timestamptz NOT NULL,
    provider_id bigint,
    site_id bigint,
    incident_id bigint,
    signal_id bigint,
    what text NOT NULL,
    type text NOT NULL DEFAULT '',
    recipient text NOT NULL DEFAULT '',
    clause text NOT NULL DEFAULT '',
    reason text NOT NULL DEFAULT '',
    actor text NOT NULL DEFAULT 'system',
    data jsonb NOT NULL DEFAULT '{}',
    xact xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE TABLE journal_entry_rest PARTITION OF journal_entry DEFAULT;
CREATE INDEX journal_entry_incident ON journal_entry (incident_id, id);
CREATE INDEX journal_entry_site ON journal_entry (site_id, at DESC);

-- What waits for its verdict: a row here is deleted by the transaction that writes the verdict.
CREATE TABLE journal_pending (
    signal_id bigint PRIMARY KEY,
    received_at timestamptz NOT NULL,
    urgency smallint NOT NULL
);
CREATE INDEX journal_pending_urgent ON journal_pending (urgency, signal_id);

-- The first frame under a duplicate key; `seen_at` bounds its lifetime (DC-09 retries).
CREATE TABLE journal_first (
    dedup_key bytea PRIMARY KEY,
    frame_id bigint NOT NULL,
    seen_at timestamptz NOT NULL
);
CREATE INDEX journal_first_age ON journal_first (seen_at);

-- The hash chain over what was written, per table.
CREATE TABLE journal_seal (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    table_name text NOT NULL,
    last_xact xid8 NOT NULL,
    last_id bigint NOT NULL,
    rows bigint NOT NULL,
    hash bytea NOT NULL,
    sealed_at timestamptz NOT NULL
);
CREATE INDEX journal_seal_table ON journal_seal (table_name, id DESC);
