-- One text for SQLite and PostgreSQL. Times are milliseconds since the Unix epoch, flags are 0 or 1, hashes are lower-case
-- hexadecimal text. Money is decimal text in yoctoNEAR, padded to 39 digits so that the order of the texts is the order of
-- the amounts.

-- The next free number of each kind: neither engine's own way of counting is understood by the other.
CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    last_value BIGINT NOT NULL
);
INSERT INTO counters (name, last_value) VALUES ('job', 0), ('hidden_log', 0), ('rejected_event', 0);

-- The last block of the chain whose events are in this database; written together with them.
CREATE TABLE cursors (
    contract_id TEXT PRIMARY KEY,
    block_height BIGINT NOT NULL,
    block_hash TEXT -- none before the first block
);

-- Sums that SQL cannot make of padded text.
CREATE TABLE totals (
    name TEXT PRIMARY KEY,
    amount TEXT NOT NULL
);
INSERT INTO totals (name, amount) VALUES ('charged', '0');

CREATE TABLE jobs (
    job_id BIGINT PRIMARY KEY,
    contract_id TEXT NOT NULL,
    request_id BIGINT NOT NULL,
    stage TEXT NOT NULL CHECK (stage IN ('queued', 'leased', 'resolved', 'expired', 'dead')),
    -- what the chain said
    notice TEXT NOT NULL,
    data_id TEXT NOT NULL,
    sender_id TEXT NOT NULL,
    source TEXT NOT NULL,
    repo TEXT,
    payment TEXT NOT NULL,
    block_height BIGINT NOT NULL,
    block_timestamp BIGINT NOT NULL,
    receipt_id TEXT NOT NULL,
    transaction_hash TEXT,
    signer_public_key TEXT,
    gas_burnt BIGINT NOT NULL,
    -- the queue's own
    attempts BIGINT NOT NULL,
    fence BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    lease_expires_at BIGINT,
    worker TEXT,
    reason TEXT,
    created_at BIGINT NOT NULL,
    ended_at BIGINT,
    -- how it ended
    success BIGINT,
    error_type TEXT,
    instructions BIGINT,
    time_ms BIGINT,
    compile_time_ms BIGINT,
    artifact TEXT,
    resolve_transaction TEXT,
    charged TEXT,
    refunded TEXT,
    UNIQUE (contract_id, request_id)
);
CREATE INDEX jobs_by_rank ON jobs (stage, payment DESC, job_id);
CREATE INDEX jobs_by_due ON jobs (stage, due_at);
CREATE INDEX jobs_by_expiry ON jobs (stage, lease_expires_at);
CREATE INDEX jobs_by_sender ON jobs (sender_id, job_id);
CREATE INDEX jobs_by_repo ON jobs (repo, job_id);
CREATE INDEX jobs_by_source ON jobs (source, job_id);
CREATE INDEX jobs_by_request ON jobs (request_id, job_id);

-- Own events that could not be understood: kept for an operator, never skipped in silence.
CREATE TABLE rejected_events (
    id BIGINT PRIMARY KEY,
    contract_id TEXT NOT NULL,
    block_height BIGINT NOT NULL,
    receipt_id TEXT NOT NULL,
    line TEXT NOT NULL,
    reason TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE workers (
    worker_name TEXT PRIMARY KEY,
    token_sha256 TEXT UNIQUE,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT
);

CREATE TABLE artifacts (
    sha256 TEXT PRIMARY KEY,
    size_bytes BIGINT NOT NULL,
    first_seen_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    executions BIGINT NOT NULL
);
CREATE INDEX artifacts_by_use ON artifacts (last_used_at);

-- What the operator does not have run.
CREATE TABLE banned_artifacts (
    sha256 TEXT PRIMARY KEY,
    banned_at BIGINT NOT NULL
);

-- What workers say they built; whoever reads it checks the signature.
CREATE TABLE builds (
    repo TEXT NOT NULL,
    commit_hash TEXT NOT NULL,
    build_target TEXT NOT NULL,
    artifact TEXT NOT NULL,
    signed_build TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (repo, commit_hash, build_target)
);

-- Builds that go on, so that each is done once: the worker that has the claim builds, until it ends or nothing is heard of it.
CREATE TABLE build_claims (
    repo TEXT NOT NULL,
    commit_hash TEXT NOT NULL,
    build_target TEXT NOT NULL,
    worker TEXT NOT NULL,
    job_id BIGINT NOT NULL,
    progress TEXT NOT NULL,
    began_at BIGINT NOT NULL,
    heard_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (repo, commit_hash, build_target)
);

-- What builds and guests wrote. May hold anything, so it is shown on the loopback listener only.
CREATE TABLE system_hidden_logs (
    id BIGINT PRIMARY KEY,
    request_id BIGINT NOT NULL,
    job_id BIGINT NOT NULL,
    log_type TEXT NOT NULL,
    stderr TEXT NOT NULL,
    stdout TEXT NOT NULL,
    exit_code BIGINT,
    execution_error TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX hidden_logs_by_request ON system_hidden_logs (request_id, id);
CREATE INDEX hidden_logs_by_job ON system_hidden_logs (job_id, id);
CREATE INDEX hidden_logs_by_age ON system_hidden_logs (created_at);
