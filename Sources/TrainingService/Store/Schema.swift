// The tables of the service.

import DatabaseFiles

enum Schema {
  /// Marked "RnkS".
  static let tables = DatabaseSchema(applicationID: 0x526E_6B53, steps: steps)

  /// Times are milliseconds since 1970 (UTC); JSON is text. In SQLite's words; `PostgresSchema` translates `INTEGER`,
  /// `TEXT` and `AUTOINCREMENT`.
  static let steps = [
    """
    CREATE TABLE users (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      email TEXT NOT NULL UNIQUE,        -- in lower case
      password TEXT NOT NULL,            -- $scrypt$…, see Password
      is_admin INTEGER NOT NULL,
      created_at INTEGER NOT NULL
    );
    CREATE TABLE sessions (
      token_hash TEXT PRIMARY KEY,       -- SHA-256; the token itself is nowhere but in the cookie
      user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      form_token TEXT NOT NULL,          -- what forms of this session carry
      created_at INTEGER NOT NULL,
      expires_at INTEGER NOT NULL
    );
    CREATE INDEX sessions_by_user ON sessions (user_id);
    CREATE TABLE api_tokens (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      name TEXT NOT NULL,
      token_hash TEXT NOT NULL UNIQUE,
      created_at INTEGER NOT NULL,
      expires_at INTEGER
    );
    CREATE INDEX api_tokens_by_user ON api_tokens (user_id);
    CREATE TABLE first_account_links (
      token_hash TEXT PRIMARY KEY,
      expires_at INTEGER NOT NULL
    );
    CREATE TABLE sign_in_failures (
      subject TEXT NOT NULL,             -- an e-mail address or a client's address
      failed_at INTEGER NOT NULL
    );
    CREATE INDEX sign_in_failures_by_subject ON sign_in_failures (subject, failed_at);
    CREATE TABLE secrets (
      name TEXT PRIMARY KEY,
      value TEXT NOT NULL
    );
    CREATE TABLE jobs (
      id TEXT PRIMARY KEY,
      owner_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      kind TEXT NOT NULL,
      model_name TEXT NOT NULL,
      data_path TEXT,                    -- below the data root; none trains on the kind's own sample
      parameters TEXT NOT NULL,          -- a JSON object
      status TEXT NOT NULL,
      attempt INTEGER NOT NULL,          -- how often a worker took it: the fencing token of the present attempt
      failures INTEGER NOT NULL,
      not_before INTEGER NOT NULL,       -- back-off: no worker takes it earlier
      worker TEXT,                       -- who has the lease, while it runs
      lease_until INTEGER,
      furthest INTEGER NOT NULL,         -- the last epoch that any attempt ended, after 1,000,000 for each fold
      has_advanced INTEGER NOT NULL,     -- whether the present attempt got further than those before
      cancel_requested INTEGER NOT NULL,
      progress TEXT,                     -- the last line of progress, JSON
      problem TEXT,
      metrics TEXT,                      -- a JSON object
      model_path TEXT,
      created_at INTEGER NOT NULL,
      updated_at INTEGER NOT NULL,
      started_at INTEGER,
      finished_at INTEGER
    );
    CREATE INDEX jobs_by_turn ON jobs (status, not_before, created_at);
    CREATE INDEX jobs_by_owner ON jobs (owner_id, created_at);
    CREATE INDEX jobs_by_creation ON jobs (created_at);
    CREATE TABLE job_events (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
      attempt INTEGER NOT NULL,
      at INTEGER NOT NULL,
      kind TEXT NOT NULL,
      body TEXT NOT NULL                 -- JSON
    );
    CREATE INDEX job_events_by_job ON job_events (job_id, id);
    CREATE TABLE model_versions (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      owner_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      name TEXT NOT NULL,
      version INTEGER NOT NULL,
      job_id TEXT NOT NULL UNIQUE REFERENCES jobs (id) ON DELETE CASCADE,
      kind TEXT NOT NULL,
      directory TEXT NOT NULL,
      files TEXT NOT NULL,               -- a JSON array of names below the directory
      metrics TEXT NOT NULL,             -- a JSON object
      created_at INTEGER NOT NULL,
      removed_at INTEGER,
      UNIQUE (owner_id, name, version)
    );
    CREATE TABLE promotions (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      version_id INTEGER NOT NULL REFERENCES model_versions (id) ON DELETE CASCADE,
      owner_id INTEGER NOT NULL,
      name TEXT NOT NULL,
      promoted_by INTEGER NOT NULL,
      promoted_at INTEGER NOT NULL,
      withdrawn_at INTEGER               -- when it was rolled back
    );
    CREATE INDEX promotions_by_model ON promotions (owner_id, name, id);
    """,
    """
    ALTER TABLE api_tokens ADD COLUMN is_worker INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE jobs ADD COLUMN claim_key TEXT;         -- of the question that the present attempt is the answer to
    ALTER TABLE jobs ADD COLUMN announced_at INTEGER;   -- when a message queue took the message that the job waits
    CREATE INDEX jobs_by_claim_key ON jobs (claim_key);
    """,
  ]
}
