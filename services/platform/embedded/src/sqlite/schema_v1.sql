-- Instants are milliseconds since 1970. Documents are JSON text; columns beside them are what is searched by.

CREATE TABLE messages (
    -- Never reused, so that a receipt cannot come to mean another message.
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    queue         TEXT    NOT NULL,
    body          TEXT    NOT NULL,
    attributes    TEXT    NOT NULL,
    receive_count INTEGER NOT NULL,
    sent_at       INTEGER NOT NULL,
    visible_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX messages_by_visibility ON messages (queue, visible_at, receive_count);

CREATE TABLE dead_messages (
    dead_id       TEXT    PRIMARY KEY,
    queue         TEXT    NOT NULL,
    body          TEXT    NOT NULL,
    attributes    TEXT    NOT NULL,
    reason        TEXT    NOT NULL,
    receive_count INTEGER NOT NULL,
    sent_at       INTEGER NOT NULL,
    died_at       INTEGER NOT NULL
) STRICT;
CREATE INDEX dead_messages_by_queue ON dead_messages (queue, dead_id);
CREATE INDEX dead_messages_by_death ON dead_messages (died_at);

CREATE TABLE lake_commits (
    object_id  TEXT    NOT NULL,
    part       INTEGER NOT NULL,
    table_name TEXT    NOT NULL,
    stamp      INTEGER NOT NULL,
    event_from INTEGER NOT NULL,
    event_to   INTEGER NOT NULL,
    n_records  INTEGER NOT NULL,
    complete   INTEGER NOT NULL,
    PRIMARY KEY (object_id, part)
) STRICT, WITHOUT ROWID;
CREATE INDEX lake_commits_by_stamp ON lake_commits (table_name, complete, stamp);

CREATE TABLE seals (
    table_name TEXT    PRIMARY KEY,
    until      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE ingested_objects (
    object_id   TEXT    PRIMARY KEY,
    ingested_at INTEGER NOT NULL,
    document    TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX ingested_objects_by_time ON ingested_objects (ingested_at, object_id);

CREATE TABLE rules (
    rule_id      TEXT NOT NULL,
    rule_version TEXT NOT NULL,
    document     TEXT NOT NULL,
    PRIMARY KEY (rule_id, rule_version)
) STRICT;

CREATE TABLE schedules (
    rule_id      TEXT    PRIMARY KEY,
    rule_version TEXT    NOT NULL,
    table_name   TEXT    NOT NULL,
    every_s      INTEGER NOT NULL,
    active_from  INTEGER NOT NULL,
    planned_to   INTEGER NOT NULL,
    enabled      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE windows (
    rule_id      TEXT    NOT NULL REFERENCES schedules (rule_id),
    window_from  INTEGER NOT NULL,
    window_to    INTEGER NOT NULL,
    rule_version TEXT    NOT NULL,
    attempt      INTEGER NOT NULL,
    state        TEXT    NOT NULL,
    document     TEXT    NOT NULL,
    updated_at   INTEGER NOT NULL,
    PRIMARY KEY (rule_id, window_from)
) STRICT, WITHOUT ROWID;
CREATE INDEX windows_unjudged ON windows (state = 'failed_for_good', updated_at, rule_id, window_from) WHERE state <> 'judged';

CREATE TABLE alerts (
    alert_id    TEXT    PRIMARY KEY,
    revision    INTEGER NOT NULL,
    rule_id     TEXT    NOT NULL,
    key_digest  TEXT    NOT NULL,
    status      TEXT    NOT NULL,
    severity    INTEGER NOT NULL,
    opened_at   INTEGER NOT NULL,
    dedup_from  INTEGER NOT NULL,
    dedup_to    INTEGER NOT NULL,
    document    TEXT    NOT NULL,
    context     TEXT
) STRICT;
CREATE INDEX alerts_by_key ON alerts (rule_id, key_digest, dedup_from);
CREATE INDEX alerts_by_opening ON alerts (opened_at DESC, alert_id);
CREATE INDEX alerts_by_status ON alerts (status, opened_at DESC, alert_id);
CREATE INDEX alerts_by_rule ON alerts (rule_id, opened_at DESC, alert_id);

CREATE TABLE alert_keys (
    rule_id      TEXT    NOT NULL,
    key_digest   TEXT    NOT NULL,
    key_revision INTEGER NOT NULL,
    PRIMARY KEY (rule_id, key_digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE alert_matches (
    rule_id  TEXT NOT NULL,
    match_id TEXT NOT NULL,
    alert_id TEXT NOT NULL REFERENCES alerts (alert_id),
    PRIMARY KEY (rule_id, match_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE alert_entities (
    value     TEXT    NOT NULL,
    opened_at INTEGER NOT NULL,
    alert_id  TEXT    NOT NULL REFERENCES alerts (alert_id),
    PRIMARY KEY (value, opened_at, alert_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_entities_by_alert ON alert_entities (alert_id);

CREATE TABLE deliveries (
    delivery_id TEXT    PRIMARY KEY,
    alert_id    TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    document    TEXT    NOT NULL
) STRICT;
CREATE INDEX deliveries_by_alert ON deliveries (alert_id, created_at, delivery_id);
CREATE INDEX deliveries_by_state ON deliveries (state);

CREATE TABLE destinations (
    destination_id TEXT PRIMARY KEY,
    document       TEXT NOT NULL
) STRICT, WITHOUT ROWID;
