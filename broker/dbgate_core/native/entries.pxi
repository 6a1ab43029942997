# Lines of the audit log put together. Twin: dbgate_core/audit/filling.py.

from hashlib import sha256

cdef extern from "Python.h":
    const char *PyUnicode_AsUTF8AndSize(object text, Py_ssize_t *size) except NULL

cdef enum:
    DIGITS = 20                         # of a number of 63 bits, and one more
    STAMP_BYTES = 27
    DAY_SECONDS = 86400
    DAYS_BEFORE_1970 = 719468           # since 0000-03-01
    DAYS_OF_400_YEARS = 146097

cdef int64_t SECOND_US = 1000000
cdef int64_t LAST_SECOND = 253402300799     # 9999-12-31T23:59:59, datetime's own bound


cdef inline int put_bytes(Output out, bytes data) except -1:
    return out.put(<const uint8_t *>PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))


cdef int put_value(Output out, object value) except -1:
    cdef int64_t number
    cdef const char *text
    cdef Py_ssize_t size
    if isinstance(value, int):
        number = value
        if number < 0:
            raise ValueError("a number below 0")
        out.room(DIGITS)
        out.size += put_number(number, 1, out.start + out.size)
        return 0
    if isinstance(value, str):
        text = PyUnicode_AsUTF8AndSize(value, &size)
        return out.put(<const uint8_t *>text, size)
    return put_bytes(out, bytes(value))


def filled(tuple pieces not None, tuple order not None, tuple values not None):
    """The pieces, with one of the values between each two: `order` says which."""
    cdef Output out = Output(1024)
    fill(out, pieces, order, values)
    return out.taken()


cdef int fill(Output out, tuple pieces, tuple order, tuple values) except -1:
    cdef Py_ssize_t at, place
    if len(pieces) != len(order) + 1:
        raise ValueError("pieces and places do not fit")
    put_bytes(out, pieces[0])
    for at in range(len(order)):
        place = order[at]
        if not 0 <= place < len(values):
            raise IndexError("no such value")
        put_value(out, values[place])
        put_bytes(out, pieces[at + 1])
    return 0


def entered(
    object chain, object write, int fd, tuple pieces not None, tuple order not None,
    tuple own not None, str stamp not None
):
    """Write a chain's next line and take it; how long it is, or the line and what was written of it."""
    cdef Output out = Output(1024)
    cdef bytes line
    cdef Py_ssize_t done
    tree = chain.tree
    out.put(b"\0", 1)       # what a leaf's hash begins with stands before the line
    fill(out, pieces, order, (tree.size, chain.prev, stamp, *own))
    line = PyBytes_FromStringAndSize(<char *>out.start + 1, out.size - 1)
    try:
        done = write(fd, line)
    except OSError:
        done = 0
    if done < out.size - 1:
        return line, done
    chain.prev = sha256(PyBytes_FromStringAndSize(<char *>out.start + 1, out.size - 2)).hexdigest()
    tree.append(sha256(PyBytes_FromStringAndSize(<char *>out.start, out.size - 1)).digest())
    return done


def timestamp(int64_t now_us):
    """RFC 3339 in UTC, with microseconds."""
    cdef uint8_t said[STAMP_BYTES]
    cdef int64_t second = now_us // SECOND_US
    if now_us < 0 or second > LAST_SECOND:
        raise ValueError("a time out of range")
    put_day(second // DAY_SECONDS, said)
    second %= DAY_SECONDS
    put_number(second // 3600, 2, said + 11)
    put_number(second // 60 % 60, 2, said + 14)
    put_number(second % 60, 2, said + 17)
    put_number(now_us % SECOND_US, 6, said + 20)
    said[10], said[13], said[16], said[19], said[26] = b"T", b":", b":", b".", b"Z"
    return (<char *>said)[:STAMP_BYTES].decode("ascii")


cdef void put_day(int64_t days, uint8_t *out) noexcept:
    """The day so many days after 1970-01-01. Years begin in March here, so that leap days end them."""
    cdef int64_t left = days + DAYS_BEFORE_1970
    cdef int64_t day = left % DAYS_OF_400_YEARS
    cdef int64_t year = (day - day // 1460 + day // 36524 - day // 146096) // 365
    cdef int64_t month
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5
    year += left // DAYS_OF_400_YEARS * 400 + (month > 9)
    month += 3 if month < 10 else -9
    put_number(year, 4, out)
    put_number(month, 2, out + 5)
    put_number(day + 1, 2, out + 8)
    out[4] = out[7] = b"-"
