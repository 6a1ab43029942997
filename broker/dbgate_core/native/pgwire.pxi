# The wire protocol: what is found by the headers of messages. Twin: dbgate_core/pgwire/runs.py.

cdef enum:
    HEADER_BYTES = 5                # type, then the length, itself included
    MAX_STREAMED_BYTES = 1 << 30    # dbgate_core/pgwire/messages.py
    DATA_ROW = 0x44


def end_of_run(bytes data not None, Py_ssize_t position, int kind):
    """The end of the run of messages of this type; past the data when the last is cut."""
    cdef const uint8_t *raw = <const uint8_t *>PyBytes_AS_STRING(data)
    cdef Py_ssize_t last = PyBytes_GET_SIZE(data) - HEADER_BYTES
    cdef uint32_t length
    if position < 0:
        raise ValueError("a position before the data")
    while position <= last and raw[position] == kind:
        length = read32(raw + position + 1)
        if length < 4 or length > MAX_STREAMED_BYTES:
            raise ProtocolViolation(f"a server message of length {length}")
        position += 1 + <Py_ssize_t>length
    return position


def end_of_whole_run(bytes data not None, Py_ssize_t position, Py_ssize_t end):
    """The end of the run of whole DataRow messages that begins with the one up to `end`."""
    cdef const uint8_t *raw = <const uint8_t *>PyBytes_AS_STRING(data)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(data)
    cdef Py_ssize_t following
    cdef uint32_t length
    if position < 0 or end < 0:
        raise ValueError("a position before the data")
    while size - end >= HEADER_BYTES and raw[end] == DATA_ROW:
        length = read32(raw + end + 1)
        following = end + 1 + <Py_ssize_t>length
        if length < 4 or following > size:
            break
        end = following
    return end


def count_rows(bytes messages not None):
    """How many messages these are; the last may be cut."""
    cdef const uint8_t *raw = <const uint8_t *>PyBytes_AS_STRING(messages)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(messages), position = 0, count = 0
    cdef uint32_t length
    while position < size:
        length = read32(raw + position + 1) if size - position >= HEADER_BYTES else 0
        if length < 4:
            raise ProtocolViolation("a row of a wrong length")
        position += 1 + <Py_ssize_t>length
        count += 1
    return count
