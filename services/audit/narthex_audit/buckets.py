"""What questions over time have in common: buckets of time, and the scale of durations. Pure."""

BUCKET = "toStartOfInterval({column}, toIntervalSecond({{period:UInt32}}), toDateTime(0, 'UTC'))"
SPAN = (
    "{column} >= fromUnixTimestamp64Micro({{since:Int64}}, 'UTC') "
    "AND {column} < fromUnixTimestamp64Micro({{until:Int64}}, 'UTC')"
)


def duration_s(step: int) -> float:
    """The middle of a step of the scale of durations, so within 9 %: step n begins at 2 ** ((n - 40) / 4) ms."""
    return float(2 ** ((step - 40 + 0.5) / 4) / 1000)


def reached(by: str, steps: str) -> str:
    """For rows of `by`, step and number: how many of a `by` there are up to the step (so_far), and in all (together).

    Windows over one order of the rows: 27 ms for 10,000 buckets of 7, where fetching every step and counting in
    Python took 150. No build of the engine that we use has a quantile with weights.
    """
    window = f"(PARTITION BY {by} ORDER BY step ROWS BETWEEN UNBOUNDED PRECEDING AND {{end}})"
    return (
        f"SELECT {by}, step, sum(number) OVER {window.format(end='CURRENT ROW')} AS so_far, "
        f"sum(number) OVER {window.format(end='UNBOUNDED FOLLOWING')} AS together FROM ({steps})"
    )
