# Masking of COPY TO STDOUT data in text and csv format. Twin: dbgate_core/masking/copy.py.

cdef enum:
    BACKSLASH = 92
    NEWLINE = 10
    RETURN = 13
    NOT_HERE = -1                   # a field that is cut, or that is left to the twin

cdef struct Marks:
    bint csv
    uint8_t delimiter, quote, escape
    const uint8_t *null_text
    Py_ssize_t null_size


cdef Py_ssize_t end_of_text(
    const Marks *marks, const uint8_t *raw, Py_ssize_t at, Py_ssize_t end
) noexcept nogil:
    """Where the delimiter or newline behind a field of text stands; a newline always ends a row."""
    while at < end:
        if raw[at] == marks.delimiter or raw[at] == NEWLINE:
            return at
        if raw[at] == BACKSLASH and at + 1 < end and raw[at + 1] != NEWLINE:
            at += 1
        at += 1
    return NOT_HERE


cdef Py_ssize_t end_of_quoted(
    const Marks *marks, const uint8_t *raw, Py_ssize_t at, Py_ssize_t end
) noexcept nogil:
    """The same of a csv field, from behind its opening quote."""
    while at < end:
        if raw[at] == marks.escape and at + 1 < end and (
            raw[at + 1] == marks.quote or raw[at + 1] == marks.escape
        ):
            at += 2
        elif raw[at] == marks.quote:
            at += 1
            if at < end and (raw[at] == marks.delimiter or raw[at] == NEWLINE):
                return at
            return NOT_HERE
        elif raw[at] == marks.escape:
            return NOT_HERE
        else:
            at += 1
    return NOT_HERE


cdef Py_ssize_t end_of_csv(
    const Marks *marks, const uint8_t *raw, Py_ssize_t at, Py_ssize_t end
) noexcept nogil:
    if at < end and raw[at] == marks.quote:
        return end_of_quoted(marks, raw, at + 1, end)
    while at < end:
        if raw[at] == marks.delimiter or raw[at] == NEWLINE:
            return at
        if raw[at] == marks.quote:
            return NOT_HERE
        at += 1
    return NOT_HERE


cdef bint is_plain(const Marks *marks, const uint8_t *text, Py_ssize_t size) noexcept nogil:
    """Does a field stand as it is: nothing in it is escaped or quoted, or would have to be."""
    cdef Py_ssize_t at
    for at in range(size):
        if text[at] < 32 or text[at] == marks.delimiter:
            return False
        if text[at] == (marks.quote if marks.csv else BACKSLASH):
            return False
    return True


cdef bint is_null(const Marks *marks, const uint8_t *text, Py_ssize_t size) noexcept nogil:
    return size == marks.null_size and memcmp(text, marks.null_text, size) == 0


cdef bint is_left(
    Plan plan, Py_ssize_t number, const Marks *marks, const uint8_t *field, Py_ssize_t size
) noexcept nogil:
    """Does a field stand as it is: NULL, or a text that nobody need read."""
    if is_null(marks, field, size):
        return True
    if plan.columns[number].form.kind != FORM_FREE_TEXT or not is_plain(marks, field, size):
        return False
    return not has_marks(field, size)


cdef int put_masked(
    object owner, Plan plan, Py_ssize_t number, const Marks *marks,
    const uint8_t *field, Py_ssize_t size, Output out,
) except -1:
    """A field's masked value, where its plain form is all there is to it; else the twin's."""
    cdef Py_ssize_t masked = PYTHON
    cdef bytes asked
    out.room(size + FORM_SPARE)
    if is_plain(marks, field, size):
        masked = masked_into(&plan.columns[number].form, field, size, out.start + out.size)
    if masked != PYTHON and is_plain(marks, out.start + out.size, masked):
        if not (marks.csv and is_null(marks, out.start + out.size, masked)):
            out.size += masked
            return 0
    asked = owner._masked(
        PyBytes_FromStringAndSize(<const char *>field, size), plan.masks[number],
        plan.columns[number].sparing,
    )
    out.put(<const uint8_t *>PyBytes_AS_STRING(asked), len(asked))
    return 0


cdef Py_ssize_t mask_line(
    object owner, Plan plan, const Marks *marks, int width,
    const uint8_t *raw, Py_ssize_t start, Py_ssize_t end, Output out, Py_ssize_t *values,
) except -2:
    """One row into `out`: the position behind it, or NOT_HERE, and then `out` is as it was."""
    cdef Py_ssize_t begin = start, behind, copied = start, before = out.size, number = 0, found = 0
    cdef int column = 0
    if not marks.csv and end - start >= 3 and memcmp(raw + start, b"\\.\n", 3) == 0:
        out.put(raw + start, 3)
        return start + 3
    while True:
        behind = (end_of_csv if marks.csv else end_of_text)(marks, raw, begin, end)
        if behind == NOT_HERE:
            out.size = before
            return NOT_HERE
        if number < plan.count and plan.columns[number].index == column:
            if not is_left(plan, number, marks, raw + begin, behind - begin):
                out.put(raw + copied, begin - copied)
                put_masked(owner, plan, number, marks, raw + begin, behind - begin, out)
                copied = behind
                found += not plan.columns[number].sparing
            number += 1
        column += 1
        if raw[behind] == NEWLINE:
            break
        begin = behind + 1
    if column != width:
        raise ProtocolViolation("a row of COPY data does not have the columns of its table")
    out.put(raw + copied, behind + 1 - copied)
    values[0] += found
    return behind + 1


def mask_copy(
    object owner not None, Plan plan not None, bytes data not None, int width,
    bint csv, int delimiter, bytes null not None, int quote, int escape,
):
    """The rows at the start of the data, masked, and how many bytes of it they were.

    What follows is cut, or is for the twin. `owner` is the CopyMask.
    """
    cdef const uint8_t *raw = <const uint8_t *>PyBytes_AS_STRING(data)
    cdef Py_ssize_t end = PyBytes_GET_SIZE(data), position = 0, behind, values = 0
    cdef Output out = Output(end + end // 4 + 256)
    cdef Marks marks
    marks.csv, marks.delimiter, marks.quote, marks.escape = csv, delimiter, quote, escape
    marks.null_text = <const uint8_t *>PyBytes_AS_STRING(null)
    marks.null_size = PyBytes_GET_SIZE(null)
    try:
        while position < end:
            behind = mask_line(owner, plan, &marks, width, raw, position, end, out, &values)
            if behind == NOT_HERE:
                break
            position = behind
    finally:
        owner.values += values
    return out.taken(), position


def end_of_values(bytes data not None, Py_ssize_t position, int columns):
    """The end of a binary row's values, negative where they are not whole. Twin: binary_rows.py."""
    cdef const uint8_t *raw = <const uint8_t *>PyBytes_AS_STRING(data)
    cdef Py_ssize_t end = PyBytes_GET_SIZE(data)
    cdef int32_t length
    cdef int column
    if position < 0:
        raise ValueError("a position before the data")
    for column in range(columns):
        if end - position < LENGTH_BYTES:
            return -(position + LENGTH_BYTES)
        length = <int32_t>read32(raw + position)
        if length < -1:
            raise ProtocolViolation("a value of COPY data has a length that none has")
        position += LENGTH_BYTES + (length if length > 0 else 0)
    return position if position <= end else -position
