-- One row a request. An event that is delivered again brings the same row again: same service, time and id, so
-- the engine keeps one of them, and queries say FINAL for the moment before it has merged.
CREATE TABLE IF NOT EXISTS requests
(
    time           DateTime64(6, 'UTC') CODEC(DoubleDelta, ZSTD),
    id             String,
    router         LowCardinality(String),
    project_id     LowCardinality(String),
    service_id     LowCardinality(String),
    deployment_id  LowCardinality(String),
    version_id     LowCardinality(String),
    instance_id    LowCardinality(String),
    subject_id     String,
    token_id       String,
    method         LowCardinality(String),
    path           String,
    query          String,
    status         UInt16,
    code           LowCardinality(String),
    outcome        LowCardinality(String),
    request_bytes  UInt64,
    response_bytes UInt64,
    connect_ms     Float64,
    first_byte_ms  Float64,
    total_ms       Float64,
    client         String,
    user_agent     String,
    trace_id       String,
    attempts       String, -- JSON: read back whole, never searched
    INDEX by_id id TYPE bloom_filter GRANULARITY 1 -- finds one request by the id that a user was shown
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMMDD(time)
ORDER BY (service_id, time, id)
-- The bus forgets a batch once the insert has returned, so by then it must be on the disk: 2 ms an insert.
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
