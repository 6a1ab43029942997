# Whole exchanges, recognised at a glance. Twin: dbgate_core/pgwire/exchange.py.

from dbgate_core.pgwire.exchange import Answered, Asked

cdef enum:
    MAX_MESSAGE_BYTES = 64 << 20    # dbgate_core/pgwire/messages.py
    MAX_TAG_BYTES = 64              # dbgate_core/pgwire/exchange.py
    READY_BYTES = 6

cdef bytes DESCRIBE = b"D\0\0\0\6P\0"
cdef bytes EXECUTE_AND_SYNC = b"E\0\0\0\x09\0\0\0\0\0S\0\0\0\4"


cdef inline Py_ssize_t after(const uint8_t *raw, Py_ssize_t size, Py_ssize_t at, bytes mark) noexcept:
    """Where `mark` ends if it stands at `at`, else 0."""
    cdef Py_ssize_t length = PyBytes_GET_SIZE(mark)
    if size - at < length or memcmp(raw + at, PyBytes_AS_STRING(mark), length):
        return 0
    return at + length


cdef inline Py_ssize_t end_of(const uint8_t *raw, Py_ssize_t size, Py_ssize_t at, int kind) noexcept:
    """Where the message of this type at `at` ends, if it is whole; else 0."""
    cdef uint32_t length
    if size - at < HEADER_BYTES or raw[at] != kind:
        return 0
    length = read32(raw + at + 1)
    if length < 4 or length > MAX_STREAMED_BYTES or <Py_ssize_t>length > size - at - 1:
        return 0
    return at + 1 + <Py_ssize_t>length


cdef inline int values_in(const uint8_t *raw, Py_ssize_t at, Py_ssize_t end) noexcept:
    """How many values follow the names in a Bind; -1 if something else does."""
    cdef int32_t length
    cdef int count, left
    if end - at < 2:
        return -1
    at += 2 + 2 * <Py_ssize_t>read16(raw + at)
    if end - at < 2:
        return -1
    count = left = read16(raw + at)
    at += 2
    while left:
        if end - at < 4:
            return -1
        length = <int32_t>read32(raw + at)
        at += 4
        if length < -1 or length > end - at:
            return -1
        if length > 0:
            at += length
        left -= 1
    if end - at < 2 or at + 2 + 2 * <Py_ssize_t>read16(raw + at) != end:
        return -1
    return count


cdef struct Shape:
    Py_ssize_t bind_end, name, name_end, end
    bint described
    int values


cdef inline bint shaped(const uint8_t *raw, Py_ssize_t size, Py_ssize_t position, Shape *found) noexcept:
    """Whether a whole exchange begins here, and where its parts are."""
    cdef Py_ssize_t rest
    cdef const void *name_end
    found.bind_end = end_of(raw, size, position, 0x42)
    if found.bind_end - position < 7 or found.bind_end - position - 1 > MAX_MESSAGE_BYTES:
        return False
    if raw[position + 5]:
        return False
    rest = after(raw, size, found.bind_end, DESCRIBE)
    found.described = rest != 0
    found.end = after(raw, size, rest or found.bind_end, EXECUTE_AND_SYNC)
    if not found.end:
        return False
    found.name = position + 6
    name_end = memchr(raw + found.name, 0, found.bind_end - found.name)
    if name_end is NULL:
        return False
    found.name_end = <const uint8_t *>name_end - raw
    found.values = values_in(raw, found.name_end + 1, found.bind_end)
    return found.values >= 0


def asked(bytes data not None, Py_ssize_t position):
    """The exchange that begins here, if it is whole and nothing but one."""
    cdef const uint8_t *raw = <const uint8_t *>PyBytes_AS_STRING(data)
    cdef Shape found
    if position < 0:
        raise ValueError("a position before the data")
    if not shaped(raw, PyBytes_GET_SIZE(data), position, &found):
        return None
    try:
        statement = data[found.name:found.name_end].decode()
    except UnicodeDecodeError:
        return None
    values_at = found.name_end + 1
    parts = (found.end, found.bind_end, found.described, statement, values_at, found.values)
    return tuple.__new__(Asked, parts)


def answered(bytes data not None, Py_ssize_t position):
    """The answer to an exchange that begins here, if it is whole and nothing but one."""
    cdef const uint8_t *raw = <const uint8_t *>PyBytes_AS_STRING(data)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(data)
    cdef Py_ssize_t end
    if position < 0:
        raise ValueError("a position before the data")
    position = end_of(raw, size, position, 0x32)
    if not position or read32(raw + position - 4) != 4:
        return None
    end = end_of(raw, size, position, 0x6e)
    if end and end - position == HEADER_BYTES:
        return done(data, raw, size, end, end, end)
    return rows_and_done(data, raw, size, position)


def replied(bytes data not None, Py_ssize_t position):
    """The answer to a Query of one statement that begins here, if it is whole and nothing but one."""
    cdef const uint8_t *raw = <const uint8_t *>PyBytes_AS_STRING(data)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(data)
    if position < 0:
        raise ValueError("a position before the data")
    if position < size and raw[position] == 0x54:
        return rows_and_done(data, raw, size, position)
    return done(data, raw, size, position, position, position)


cdef rows_and_done(bytes data, const uint8_t *raw, Py_ssize_t size, Py_ssize_t position):
    cdef Py_ssize_t end = end_of(raw, size, position, 0x54)
    cdef Py_ssize_t last = end, row
    if not end:
        return None
    row = end_of(raw, size, last, DATA_ROW)
    while row:
        last = row
        row = end_of(raw, size, last, DATA_ROW)
    return done(data, raw, size, last, position + HEADER_BYTES, end)


cdef done(
    bytes data, const uint8_t *raw, Py_ssize_t size, Py_ssize_t position, Py_ssize_t at, Py_ssize_t end
):
    """CommandComplete and ReadyForQuery."""
    cdef Py_ssize_t tag = position + HEADER_BYTES
    cdef Py_ssize_t tag_end = end_of(raw, size, position, 0x43)
    if not tag < tag_end <= tag + MAX_TAG_BYTES:
        return None
    if <const uint8_t *>memchr(raw + tag, 0, tag_end - tag) != raw + tag_end - 1:
        return None
    position = end_of(raw, size, tag_end, 0x5a)
    if position - tag_end != READY_BYTES or raw[position - 1] not in (0x49, 0x54, 0x45):
        return None
    try:
        text = data[tag:tag_end - 1].decode("ascii")
    except UnicodeDecodeError:
        return None
    return tuple.__new__(Answered, (position, at, end, text, chr(raw[position - 1])))
