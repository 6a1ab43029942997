# The masked forms of numbers, dates and UUIDs in text format. Twin: dbgate_core/masking/codecs.py.

cdef enum:
    DATES = 24000                   # days, from 1940 on
    YEARS = 66
    FIRST_YEAR = 1940

cdef int64_t MAX_BELOW = 1 << 44
"""Sixteen bits more still are 64 bits: see `keyed_number`."""


cdef int64_t keyed_number(
    const Form *form, const uint8_t *value, Py_ssize_t size, int64_t below
) noexcept nogil:
    """The digest, the first byte the highest, modulo `below`."""
    cdef uint8_t digest[DIGEST_BYTES]
    cdef uint64_t rest = 0
    cdef int at
    sip_digest(form.key, value, size, digest)
    for at in range(0, DIGEST_BYTES, 2):
        rest = (rest << 16 | <uint64_t>read16(digest + at)) % <uint64_t>below
    return <int64_t>rest


cdef Py_ssize_t put_number(int64_t number, int digits, uint8_t *out) noexcept nogil:
    """In decimal, with leading zeros up to so many digits."""
    cdef uint8_t reversed[20]
    cdef Py_ssize_t count = 0, at
    while number or count < digits:
        reversed[count] = <uint8_t>(48 + number % 10)
        number //= 10
        count += 1
    for at in range(count):
        out[at] = reversed[count - 1 - at]
    return count


cdef Py_ssize_t put_date(int64_t day, uint8_t *out) noexcept nogil:
    """A day counted from 1940-01-01, in ISO 8601; 1940 is a leap year, and so is every fourth."""
    cdef int64_t year = FIRST_YEAR + 4 * (day // 1461), month = 1, length
    cdef Py_ssize_t size
    day %= 1461
    while day >= (366 if year % 4 == 0 else 365):
        day -= 366 if year % 4 == 0 else 365
        year += 1
    while True:
        length = 30 + (month + month // 8) % 2
        if month == 2:
            length = 29 if year % 4 == 0 else 28
        if day < length:
            break
        day -= length
        month += 1
    size = put_number(year, 4, out)
    out[size] = out[size + 3] = 45
    put_number(month, 2, out + size + 1)
    put_number(day + 1, 2, out + size + 4)
    return size + 6


cdef Py_ssize_t put_uuid(
    const Form *form, const uint8_t *value, Py_ssize_t size, uint8_t *out
) noexcept nogil:
    """Version 8 (RFC 9562 5.8)."""
    cdef uint8_t digest[DIGEST_BYTES]
    cdef Py_ssize_t length = 0
    cdef int at
    sip_digest(form.key, value, size, digest)
    digest[6] = 0x80 | (digest[6] & 0x0F)
    digest[8] = 0x80 | (digest[8] & 0x3F)
    for at in range(32):
        if at == 8 or at == 12 or at == 16 or at == 20:
            out[length] = 45
            length += 1
        out[length] = hexadecimal(digest, at)
        length += 1
    return length


cdef Py_ssize_t put_first_of_year(
    const uint8_t *value, Py_ssize_t size, uint8_t *out
) noexcept nogil:
    """Of a date in ISO 8601 with four digits of its year; other texts are left to Python."""
    cdef Py_ssize_t at
    if size != 10:
        return PYTHON
    for at in range(size):
        if not (value[at] == 45 if at == 4 or at == 7 else is_digit(value[at])):
            return PYTHON
    memcpy(out, value, 4)
    memcpy(out + 4, b"-01-01", 6)
    return size


cdef int64_t tailed_number(const Form *form, const uint8_t *value, Py_ssize_t size) noexcept nogil:
    """The keyed number with the value's own last four digits, where it is nothing but digits."""
    cdef int64_t number = keyed_number(form, value, size, form.bound), tail = 0
    cdef Py_ssize_t at
    if size < MIN_DIGITS_FOR_LAST_FOUR:
        return number
    for at in range(size):
        if not is_digit(value[at]):
            return number
    for at in range(size - 4, size):
        tail = 10 * tail + value[at] - 48
    return number - number % 10000 + tail


cdef Py_ssize_t typed_form(
    const Form *form, const uint8_t *value, Py_ssize_t size, uint8_t *out
) noexcept nogil:
    if form.kind == FORM_UUID:
        return put_uuid(form, value, size, out)
    if form.kind == FORM_FIRST_OF_YEAR:
        return put_first_of_year(value, size, out)
    if form.kind == FORM_TAILED_NUMBER:
        return put_number(tailed_number(form, value, size), 1, out)
    if form.kind == FORM_DATE:
        return put_date(keyed_number(form, value, size, DATES), out)
    if form.kind == FORM_YEAR:
        return put_number(FIRST_YEAR + keyed_number(form, value, size, form.bound) % YEARS, 1, out)
    return put_number(keyed_number(form, value, size, form.bound), 1, out)
