# The masked forms of values, in C. Twins: dbgate_core/masking/{codecs,forms,key}.py.
#
# Each form takes a value of plain ASCII, for in it bytes are characters, and writes at most
# `value's length + FORM_SPARE` bytes. What is not ASCII, or has no form here, is left to Python.

cdef enum:
    FORM_SPARE = 64
    MIN_DIGITS_FOR_LAST_FOUR = 8    # dbgate_core/masking/forms.py
    MAX_MARK_BYTES = 5              # dbgate_core/masking/key.py
    PYTHON = -1                     # the length that says: not here

cdef enum FormKind:
    FORM_PYTHON
    FORM_FREE_TEXT                  # Python's, where anything may stand in the value
    FORM_STARS
    FORM_TOKEN
    FORM_EMAIL
    FORM_PERSON_NAME
    FORM_LAST_FOUR
    FORM_IBAN
    FORM_NUMBER
    FORM_TAILED_NUMBER
    FORM_YEAR
    FORM_DATE
    FORM_FIRST_OF_YEAR
    FORM_UUID

cdef struct Form:
    FormKind kind
    int64_t bound                   # the most characters, negative: no limit; of numbers: below it
    uint8_t key[KEY_BYTES]
    uint8_t mark[MAX_MARK_BYTES]    # before each token
    Py_ssize_t mark_size

cdef dict KINDS = {
    "free_text": FORM_FREE_TEXT,
    "secret": FORM_STARS,
    "token": FORM_TOKEN,
    "email": FORM_EMAIL,
    "person_name": FORM_PERSON_NAME,
    "phone": FORM_LAST_FOUR,
    "card_number": FORM_LAST_FOUR,
    "iban": FORM_IBAN,
    "number": FORM_NUMBER,
    "tailed_number": FORM_TAILED_NUMBER,
    "year": FORM_YEAR,
    "date": FORM_DATE,
    "first_of_year": FORM_FIRST_OF_YEAR,
    "uuid": FORM_UUID,
}


cdef int describe(Form *form, object described) except -1:
    """What to do for a mask: dbgate_core.masking.described.Described says it, others are called."""
    cdef bytes key, mark
    form.kind = KINDS.get(getattr(described, "kind", None), FORM_PYTHON)
    if form.kind == FORM_PYTHON or form.kind == FORM_FREE_TEXT:
        return 0
    key = described.key
    if len(key) != KEY_BYTES:
        raise ValueError("a masking key of a wrong length")
    memcpy(form.key, PyBytes_AS_STRING(key), KEY_BYTES)
    mark = described.mark
    if len(mark) > MAX_MARK_BYTES:
        raise ValueError("the mark of a masking key is too long")
    memcpy(form.mark, PyBytes_AS_STRING(mark), len(mark))
    form.mark_size = len(mark)
    form.bound = described.bound
    if form.kind in (FORM_NUMBER, FORM_TAILED_NUMBER, FORM_YEAR) and not 0 < form.bound <= MAX_BELOW:
        raise ValueError("a number of a wrong bound")
    return 0


cdef inline bint is_ascii(const uint8_t *value, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t at
    cdef uint8_t seen = 0
    for at in range(size):
        seen |= value[at]
    return seen < 0x80


cdef inline bint is_digit(uint8_t c) noexcept nogil:
    return 48 <= c <= 57


cdef inline bint is_letter(uint8_t c) noexcept nogil:
    return 97 <= (c | 32) <= 122


cdef inline bint is_blank(uint8_t c) noexcept nogil:
    """What `str.split` divides at."""
    return c == 32 or 9 <= c <= 13 or 28 <= c <= 31


cdef inline Py_ssize_t put_stars(uint8_t *out) noexcept nogil:
    out[0] = out[1] = out[2] = 42
    return 3


cdef inline uint8_t hexadecimal(const uint8_t *digest, int number) noexcept nogil:
    """The digit of that number, counted from 0."""
    cdef uint8_t half = (digest[number >> 1] >> (0 if number & 1 else 4)) & 15
    return half + (48 if half < 10 else 87)


cdef Py_ssize_t put_token(
    const Form *form, const uint8_t *value, Py_ssize_t size, uint8_t *out, int digits
) noexcept nogil:
    cdef uint8_t digest[DIGEST_BYTES]
    cdef int at
    sip_digest(form.key, value, size, digest)
    memcpy(out, form.mark, form.mark_size)
    out += form.mark_size
    for at in range(digits):
        out[at] = hexadecimal(digest, at)
    return form.mark_size + digits


cdef Py_ssize_t token_form(
    const Form *form, const uint8_t *value, Py_ssize_t size, uint8_t *out
) noexcept nogil:
    return put_stars(out) + put_token(form, value, size, out + 3, 8)


cdef inline bint is_local(uint8_t c) noexcept nogil:
    """May stand before the @ of an e-mail address."""
    if c == 32 or 9 <= c <= 13:
        return False
    return c != 34 and c != 44 and c != 59 and c != 60 and c != 62 and c != 64


cdef bint is_domain(const uint8_t *text, Py_ssize_t size) noexcept nogil:
    """Labels of letters, digits and hyphens, two at least, with dots between them."""
    cdef Py_ssize_t at, label = 0, labels = 1
    for at in range(size):
        if text[at] == 46:
            if label == 0:
                return False
            label = 0
            labels += 1
        elif is_digit(text[at]) or is_letter(text[at]) or text[at] == 45:
            label += 1
        else:
            return False
    return labels > 1 and label > 0


cdef Py_ssize_t email_form(
    const Form *form, const uint8_t *value, Py_ssize_t size, uint8_t *out
) noexcept nogil:
    cdef Py_ssize_t local = 0, length = 0
    while local < size and is_local(value[local]):
        local += 1
    if local == 0 or local >= size or value[local] != 64:
        return token_form(form, value, size, out)
    if not is_domain(value + local + 1, size - local - 1):
        return token_form(form, value, size, out)
    if local > 2:
        out[0] = value[0]
        length = 1
    length += put_stars(out + length)
    length += put_token(form, value, size, out + length, 4)
    memcpy(out + length, value + local, size - local)
    return length + size - local


cdef Py_ssize_t person_name_form(
    const Form *form, const uint8_t *value, Py_ssize_t size, uint8_t *out
) noexcept nogil:
    cdef Py_ssize_t at = 0, begin, length = 0
    cdef int words = 0
    while True:
        while at < size and is_blank(value[at]):
            at += 1
        if at >= size:
            break
        begin = at
        while at < size and not is_blank(value[at]):
            at += 1
        words += 1
        if words > 3:
            return token_form(form, value, size, out)
        if words > 1:
            out[length] = 32
            length += 1
        if at - begin > 2 and is_letter(value[begin]):
            out[length] = value[begin]
            length += 1
        length += put_stars(out + length)
    if words == 0:
        return token_form(form, value, size, out)
    return length + put_token(form, value, size, out + length, 4)


cdef Py_ssize_t put_tail(
    const Form *form, const uint8_t *value, Py_ssize_t size, const uint8_t *tail, uint8_t *out
) noexcept nogil:
    """`***5f3c-1234`."""
    cdef Py_ssize_t length = put_stars(out)
    length += put_token(form, value, size, out + length, 4)
    out[length] = 45
    memcpy(out + length + 1, tail, 4)
    return length + 5


cdef Py_ssize_t last_four_form(
    const Form *form, const uint8_t *value, Py_ssize_t size, uint8_t *out
) noexcept nogil:
    cdef uint8_t digits[40]
    cdef Py_ssize_t at, count = 0
    if size > 40:
        return token_form(form, value, size, out)
    for at in range(size):
        if is_digit(value[at]):
            digits[count] = value[at]
            count += 1
    if count < MIN_DIGITS_FOR_LAST_FOUR:
        return token_form(form, value, size, out)
    return put_tail(form, value, size, digits + count - 4, out)


cdef Py_ssize_t iban_form(
    const Form *form, const uint8_t *value, Py_ssize_t size, uint8_t *out
) noexcept nogil:
    cdef uint8_t plain[34]
    cdef Py_ssize_t at, count = 0, length = 0
    for at in range(size):
        if value[at] == 32:
            continue
        if count == 34 or not (is_digit(value[at]) or is_letter(value[at])):
            return last_four_form(form, value, size, out)
        plain[count] = value[at]
        count += 1
    if count < 15:
        return last_four_form(form, value, size, out)
    if is_letter(plain[0]) and is_letter(plain[1]):
        out[0], out[1] = plain[0], plain[1]
        length = 2
    return length + put_tail(form, value, size, plain + count - 4, out + length)


cdef Py_ssize_t text_form(
    const Form *form, const uint8_t *value, Py_ssize_t size, uint8_t *out
) noexcept nogil:
    cdef Py_ssize_t length
    if not is_ascii(value, size):
        return PYTHON
    if size == 0:
        return 0
    if form.kind == FORM_STARS:
        length = put_stars(out)
    elif form.kind == FORM_EMAIL:
        length = email_form(form, value, size, out)
    elif form.kind == FORM_PERSON_NAME:
        length = person_name_form(form, value, size, out)
    elif form.kind == FORM_LAST_FOUR:
        length = last_four_form(form, value, size, out)
    elif form.kind == FORM_IBAN:
        length = iban_form(form, value, size, out)
    else:
        length = token_form(form, value, size, out)
    return <Py_ssize_t>form.bound if 0 <= form.bound < length else length


cdef Py_ssize_t masked_into(
    const Form *form, const uint8_t *value, Py_ssize_t size, uint8_t *out
) noexcept nogil:
    """The masked value's length, its bytes in `out`; PYTHON when it is not made here."""
    if form.kind == FORM_PYTHON or form.kind == FORM_FREE_TEXT:
        return PYTHON
    if form.kind >= FORM_NUMBER:
        return typed_form(form, value, size, out)
    return text_form(form, value, size, out)
