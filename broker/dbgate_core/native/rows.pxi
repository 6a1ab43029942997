# Masking of DataRow messages. Twin: dbgate_core/masking/rows.py.

cdef enum:
    ROW_HEADER_BYTES = 7            # type, length, number of columns
    LENGTH_BYTES = 4


def mask_rows(object owner not None, Plan plan not None, bytes messages not None, int width):
    """What `RowMask.rewrite` gives. `owner` is the RowMask: counts and what it remembers are its own."""
    cdef const uint8_t *raw = <const uint8_t *>PyBytes_AS_STRING(messages)
    cdef Py_ssize_t end = PyBytes_GET_SIZE(messages), position = 0, after, values = 0
    cdef int32_t length
    cdef Output out = Output(end + end // 4 + 256)
    try:
        while position < end:
            if end - position < ROW_HEADER_BYTES:
                raise ProtocolViolation("a row is cut short")
            length = <int32_t>read32(raw + position + 1)
            after = position + 1 + <Py_ssize_t>length
            if (
                raw[position] != DATA_ROW or read16(raw + position + 5) != width
                or after > end or length < 6
            ):
                raise ProtocolViolation("a row does not match the description of its result")
            values += mask_row(owner, plan, raw, position, after, out)
            position = after
    finally:
        owner.values += values
    return out.taken()


cdef Py_ssize_t end_of_value(
    const uint8_t *raw, Py_ssize_t position, Py_ssize_t end
) except -1:
    """The end of the value whose length stands at `position`, in a row that ends at `end`."""
    cdef int32_t length
    if end - position >= LENGTH_BYTES:
        length = <int32_t>read32(raw + position)
        if -1 <= length and <Py_ssize_t>length <= end - position - LENGTH_BYTES:
            return position + LENGTH_BYTES + (length if length > 0 else 0)
    raise ProtocolViolation("a value is longer than its row")


cdef Py_ssize_t mask_row(
    object owner, Plan plan, const uint8_t *raw, Py_ssize_t start, Py_ssize_t end, Output out
) except -1:
    """One row into `out`; how many values were masked."""
    cdef Py_ssize_t head = out.size, column = 0, number, masked, values = 0
    cdef Py_ssize_t position = start + ROW_HEADER_BYTES, copied = start, begin = position, size
    for number in range(plan.count):
        while column <= plan.columns[number].index:
            begin = position
            position = end_of_value(raw, begin, end)
            column += 1
        if raw[begin] == 0xFF:
            continue
        size = position - begin - LENGTH_BYTES
        if plan.columns[number].form.kind == FORM_FREE_TEXT:
            if not has_marks(raw + begin + LENGTH_BYTES, size):
                continue
        out.put(raw + copied, begin - copied)
        out.room(LENGTH_BYTES + size + FORM_SPARE)
        masked = masked_into(
            &plan.columns[number].form, raw + begin + LENGTH_BYTES, size,
            out.start + out.size + LENGTH_BYTES,
        )
        if masked == PYTHON:
            ask_python(owner, plan, number, raw + begin + LENGTH_BYTES, size, out)
        else:
            write32(out.start + out.size, <uint32_t>masked)
            out.size += LENGTH_BYTES + masked
        copied = position
        values += not plan.columns[number].sparing
    out.put(raw + copied, end - copied)
    write32(out.start + head + 1, <uint32_t>(out.size - head - 1))
    return values


cdef int ask_python(
    object owner, Plan plan, Py_ssize_t number, const uint8_t *value, Py_ssize_t size, Output out
) except -1:
    """A value whose mask is not compiled; what is often seen is remembered, as in the twin."""
    cdef bytes plain = PyBytes_FromStringAndSize(<const char *>value, size)
    cdef uint8_t length[LENGTH_BYTES]
    if plan.columns[number].sparing:
        masked = plan.masks[number](plain)
    else:
        masked = remembered(owner, owner._memos[number], plan.masks[number], plain)
    if masked is None:
        write32(length, 0xFFFFFFFF)
        out.put(length, LENGTH_BYTES)
    else:
        write32(length, <uint32_t>len(masked))
        out.put(length, LENGTH_BYTES)
        out.put(<const uint8_t *>PyBytes_AS_STRING(<bytes?>masked), len(masked))
    return 0


cdef object remembered(object owner, dict memo, object mask, bytes plain):
    return memo[plain] if plain in memo else owner._remember(memo, mask, plain)
