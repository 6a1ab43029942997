# The constants of a plain text. Twin: dbgate_core/sql/constants.py.

cdef enum:
    MAX_KEY_BYTES = 2048


cdef inline bint is_word(uint8_t c) noexcept:
    return is_digit(c) or is_letter(c) or c == 0x5f


cdef Py_ssize_t put_key(const uint8_t *text, Py_ssize_t size, uint8_t *out) noexcept:
    """The text with `0` for each number and `''` for each string, which is no longer; -1: not plain."""
    cdef Py_ssize_t at = 0, end, written = 0
    cdef uint8_t c, before = 0x20
    if size > MAX_KEY_BYTES:
        return -1
    while at < size:
        c = text[at]
        if c == 0x27:                                   # '
            if is_word(before) or before == 0x26 or before == 0x27:
                return -1
            end = at + 1
            while end < size and text[end] != 0x27:
                if not may_stand(text[end], 0x20):
                    return -1
                end += 1
            if end == size or (end + 1 < size and text[end + 1] == 0x27):
                return -1
            if has_comment(text + at, end - at):
                return -1
            out[written] = out[written + 1] = c
            written += 2
            at = end + 1
        elif is_digit(c) and not is_word(before):
            if before == 0x2e:                          # .
                return -1
            while at < size and is_digit(text[at]):
                at += 1
            if at < size and (is_word(text[at]) or text[at] == 0x2e):
                return -1
            out[written] = 0x30
            written += 1
        else:
            if not may_stand(c, before):
                return -1
            out[written] = c
            written += 1
            at += 1
        before = text[at - 1]
    return written


cdef inline bint may_stand(uint8_t c, uint8_t before) noexcept:
    """Whether it may stand in a plain text behind that: no control, quoted name, dollar, backslash, comment."""
    if c == 0x22 or c == 0x24 or c == 0x5c:
        return False
    if (c == 0x2d and before == 0x2d) or (c == 0x2a and before == 0x2f):
        return False
    return 0x20 <= c <= 0x7e or c == 0x09 or c == 0x0a or c == 0x0d


cdef inline bint has_comment(const uint8_t *text, Py_ssize_t size) noexcept:
    """Whether what would begin a comment stands in it: the twin looks for it anywhere."""
    cdef Py_ssize_t at
    for at in range(size - 1):
        if text[at] == 0x2d and text[at + 1] == 0x2d or text[at] == 0x2f and text[at + 1] == 0x2a:
            return True
    return False


def key_of(bytes text not None):
    """The text with `0` for each number and `''` for each string; None when it is not plain."""
    cdef uint8_t out[MAX_KEY_BYTES]
    cdef Py_ssize_t written
    written = put_key(<const uint8_t *>PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text), out)
    return None if written < 0 else PyBytes_FromStringAndSize(<char *>out, written)
