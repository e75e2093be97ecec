-- Requests that are counted and not written down (retention mode `none`, excluded, not in the sample): they go into
-- the minutes as all others do, and are forgotten.
CREATE TABLE IF NOT EXISTS counted
(
    time           DateTime64(6, 'UTC') CODEC(DoubleDelta, ZSTD),
    project_id     LowCardinality(String),
    service_id     LowCardinality(String),
    version_id     LowCardinality(String),
    subject_id     String,
    status         UInt16,
    code           LowCardinality(String),
    outcome        LowCardinality(String),
    request_bytes  UInt64,
    response_bytes UInt64,
    first_byte_ms  Float64,
    total_ms       Float64
)
ENGINE = MergeTree
ORDER BY (service_id, time)
TTL toDateTime(time) + INTERVAL 1 HOUR
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS counted_to_minutes TO requests_minutely AS
SELECT
    project_id, service_id, version_id, subject_id,
    toStartOfMinute(time) AS minute,
    count() AS requests,
    countIf(status >= 500 OR outcome = 'truncated') AS failed,
    countIf(startsWith(code, 'rate_limit_') OR startsWith(code, 'concurrency_')) AS limited,
    countIf(first_byte_ms > 0) AS answered,
    sum(request_bytes) AS bytes_in,
    sum(response_bytes) AS bytes_out,
    sum(total_ms) AS took_ms,
    sum(first_byte_ms) AS waited_ms
FROM counted
GROUP BY project_id, service_id, version_id, subject_id, minute;

CREATE MATERIALIZED VIEW IF NOT EXISTS counted_to_outcomes TO outcomes_minutely AS
SELECT
    project_id, service_id, version_id,
    toStartOfMinute(time) AS minute,
    status, code,
    toUInt8(greatest(0, least(127, floor(log2(greatest(total_ms, 0.001)) * 4) + 40))) AS step,
    count() AS requests
FROM counted
GROUP BY project_id, service_id, version_id, minute, status, code, step;

-- Records that were lost on their way here, as those who lost them report.
CREATE TABLE IF NOT EXISTS losses
(
    time       DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD),
    project_id LowCardinality(String),
    service_id LowCardinality(String),
    router     LowCardinality(String),
    reason     LowCardinality(String),
    records    UInt64
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (service_id, time)
TTL toDateTime(time) + INTERVAL 400 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 10000;

-- Up to which of the registry's facts the route was made that a request took.
ALTER TABLE requests ADD COLUMN IF NOT EXISTS route_sequence UInt64 AFTER trace_id;
