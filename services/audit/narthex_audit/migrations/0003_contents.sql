-- What retention mode `full` keeps of a request. Bodies are base64, so that any bytes come back as they were.
ALTER TABLE requests ADD COLUMN IF NOT EXISTS request_headers String CODEC(ZSTD);
ALTER TABLE requests ADD COLUMN IF NOT EXISTS request_body String CODEC(ZSTD);
ALTER TABLE requests ADD COLUMN IF NOT EXISTS request_cut Bool;
ALTER TABLE requests ADD COLUMN IF NOT EXISTS response_headers String CODEC(ZSTD);
ALTER TABLE requests ADD COLUMN IF NOT EXISTS response_body String CODEC(ZSTD);
ALTER TABLE requests ADD COLUMN IF NOT EXISTS response_cut Bool;
