"""What an error of the log store means: whether to wait, and what is said of it. Pure."""

# ClickHouse's codes for "not now": the batch is kept and tried again. Any other code is about the batch itself.
NOT_NOW = frozenset(
    {
        74,  # CANNOT_READ_FROM_FILE_DESCRIPTOR
        75,  # CANNOT_WRITE_TO_FILE_DESCRIPTOR: the disk is full
        76,  # CANNOT_OPEN_FILE
        159,  # TIMEOUT_EXCEEDED
        202,  # TOO_MANY_SIMULTANEOUS_QUERIES
        209,  # SOCKET_TIMEOUT
        210,  # NETWORK_ERROR
        241,  # MEMORY_LIMIT_EXCEEDED
        242,  # TABLE_IS_READ_ONLY: a replica that lost its coordination
        243,  # NOT_ENOUGH_SPACE
        252,  # TOO_MANY_PARTS: merges are behind
        319,  # UNKNOWN_STATUS_OF_INSERT: the same rows again are harmless
        999,  # KEEPER_EXCEPTION
    }
)


def sentence(error: BaseException) -> str:
    """The first line of an error: ClickHouse adds a stack and its version below.

    Of a server that cannot be reached what the system says: the driver wraps it four times, with an id of the question.
    """
    root = error
    while not isinstance(root, OSError) and (cause := root.__cause__ or root.__context__) is not None:
        root = cause
    if isinstance(root, OSError) and root is not error and root.strerror:
        return root.strerror
    return (str(error) or type(error).__name__).splitlines()[0][:500]
