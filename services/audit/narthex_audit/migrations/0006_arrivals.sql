-- How far the records of each run of a router have arrived (`runs.py`). Each process of audit has rows of its own and
-- replaces them; together they say it all. Written after a batch's rows, before the bus forgets the batch.
CREATE TABLE IF NOT EXISTS arrivals
(
    run     String, -- empty: since when this is noted at all
    process String,
    version UInt64, -- grows within a process
    router  LowCardinality(String),
    time    DateTime64(3, 'UTC'),
    firsts  Array(UInt64), -- of spans without a hole
    pasts   Array(UInt64)
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (run, process)
TTL toDateTime(time) + INTERVAL 30 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;

INSERT INTO arrivals SELECT '', '', 1, '', now64(3), [], [];
