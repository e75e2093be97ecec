-- A batch that the bus delivers again has the same token and is passed over, by the table and by what is derived
-- from it. The window is far longer than a batch can be under way.
ALTER TABLE requests MODIFY SETTING non_replicated_deduplication_window = 10000;

ALTER TABLE requests ADD COLUMN IF NOT EXISTS keep_s UInt32 DEFAULT 604800 AFTER trace_id;

-- Whole parts are dropped first, so a day whose records all are old costs nothing to delete.
ALTER TABLE requests MODIFY TTL toDateTime(time) + toIntervalSecond(keep_s);

-- Every minute of every service, version and user: what charts and time series are made of.
CREATE TABLE IF NOT EXISTS requests_minutely
(
    project_id     LowCardinality(String),
    service_id     LowCardinality(String),
    version_id     LowCardinality(String),
    subject_id     String,
    minute         DateTime('UTC') CODEC(DoubleDelta, ZSTD),
    requests       SimpleAggregateFunction(sum, UInt64),
    failed         SimpleAggregateFunction(sum, UInt64),
    limited        SimpleAggregateFunction(sum, UInt64), -- refused for a rate or concurrency limit
    answered       SimpleAggregateFunction(sum, UInt64), -- had a first byte
    bytes_in       SimpleAggregateFunction(sum, UInt64),
    bytes_out      SimpleAggregateFunction(sum, UInt64),
    took_ms        SimpleAggregateFunction(sum, Float64),
    waited_ms      SimpleAggregateFunction(sum, Float64)
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(minute)
ORDER BY (project_id, service_id, minute, version_id, subject_id)
TTL minute + INTERVAL 400 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS requests_to_minutes TO requests_minutely AS
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
FROM requests
GROUP BY project_id, service_id, version_id, subject_id, minute;

-- How the minutes' requests ended, and how long they took: status, code, and the step of a scale of durations on
-- which a step is a quarter of a doubling (`series.py`). The engine's own sketches are not in every build of it.
CREATE TABLE IF NOT EXISTS outcomes_minutely
(
    project_id LowCardinality(String),
    service_id LowCardinality(String),
    version_id LowCardinality(String),
    minute     DateTime('UTC') CODEC(DoubleDelta, ZSTD),
    status     UInt16,
    code       LowCardinality(String),
    step       UInt8,
    requests   SimpleAggregateFunction(sum, UInt64)
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(minute)
ORDER BY (project_id, service_id, minute, version_id, status, code, step)
TTL minute + INTERVAL 400 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS requests_to_outcomes TO outcomes_minutely AS
SELECT
    project_id, service_id, version_id,
    toStartOfMinute(time) AS minute,
    status, code,
    toUInt8(greatest(0, least(127, floor(log2(greatest(total_ms, 0.001)) * 4) + 40))) AS step,
    count() AS requests
FROM requests
GROUP BY project_id, service_id, version_id, minute, status, code, step;

-- Values of metrics that projects make for themselves, by the registry's number of the series.
CREATE TABLE IF NOT EXISTS points
(
    project_id LowCardinality(String),
    series     UInt64,
    time       DateTime64(3, 'UTC') CODEC(DoubleDelta, ZSTD),
    value      Float64
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (series, time)
TTL toDateTime(time) + INTERVAL 400 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 10000;
