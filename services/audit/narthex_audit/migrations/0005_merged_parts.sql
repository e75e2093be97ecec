-- What was inserted is on the disk; so is what the engine makes of several inserts, before it throws those away. The
-- engine in this process throws them away at once: without this a power cut could take what a merge had just written.
ALTER TABLE requests MODIFY SETTING min_rows_to_fsync_after_merge = 1;
ALTER TABLE requests_minutely MODIFY SETTING min_rows_to_fsync_after_merge = 1;
ALTER TABLE outcomes_minutely MODIFY SETTING min_rows_to_fsync_after_merge = 1;
ALTER TABLE counted MODIFY SETTING min_rows_to_fsync_after_merge = 1;
ALTER TABLE losses MODIFY SETTING min_rows_to_fsync_after_merge = 1;
ALTER TABLE points MODIFY SETTING min_rows_to_fsync_after_merge = 1;
