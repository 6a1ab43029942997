# Whether a text is worth reading. Twin: dbgate_core/classify/glance.py, whose marks these are.

cdef enum:
    MIN_CARD_DIGITS = 14
    MAX_CARD_DIGITS = 19
    CARD_GROUPS = 6
    IBAN_HEAD = 4                   # two letters, two digits
    MAX_IBAN = 34
    SSN_BYTES = 11
    PREFIX_BYTES = 8
    MAX_PREFIXES = 128

cdef enum Kind:
    DIGIT = 1
    LETTER = 2
    BLANK = 4
    HYPHEN = 8
    AT = 16
    SIGN = 32

cdef struct Prefix:
    uint8_t text[PREFIX_BYTES]
    uint8_t size

cdef uint8_t[256] KINDS_OF          # of each byte
cdef uint8_t[1024] BEGINS           # by five bits of two characters: may a prefix begin so
cdef uint8_t[1024] IBAN_LENGTH      # the same of a country's letters; 0 for none
cdef Prefix[MAX_PREFIXES] PREFIXES
cdef int PREFIX_COUNT = 0


cdef inline int of_two(const uint8_t *text) noexcept nogil:
    return (text[0] & 31) << 5 | text[1] & 31


cdef int tell_marks() except -1:
    global PREFIX_COUNT
    cdef int c
    from dbgate_core.classify import accounts, glance

    for c in range(256):
        KINDS_OF[c] = DIGIT if is_digit(c) else LETTER if is_letter(c) else 0
    KINDS_OF[32], KINDS_OF[45], KINDS_OF[64] = BLANK, HYPHEN, AT
    for c in b"+:\\":
        KINDS_OF[c] = SIGN
    for country, length in accounts.IBAN_LENGTHS.items():
        if length > MAX_IBAN:
            raise ValueError("an IBAN of a wrong length")
        IBAN_LENGTH[of_two(country.encode())] = length
    if len(glance.PREFIXES) > MAX_PREFIXES:
        raise ValueError("too many prefixes")
    for prefix in glance.PREFIXES:
        if not 1 < len(prefix) <= PREFIX_BYTES:
            raise ValueError("a prefix of a wrong length")
        memcpy(PREFIXES[PREFIX_COUNT].text, PyBytes_AS_STRING(prefix), len(prefix))
        PREFIXES[PREFIX_COUNT].size = len(prefix)
        BEGINS[of_two(prefix)] = 1
        PREFIX_COUNT += 1
    return 0

tell_marks()


cdef bint is_sign(const uint8_t *text, Py_ssize_t size, Py_ssize_t at) noexcept nogil:
    """What begins with +, a colon or a backslash."""
    if text[at] == 43:
        return at + 1 < size and 49 <= text[at + 1] <= 57
    if text[at] == 58:
        return at + 2 < size and text[at + 1] == 65 and text[at + 2] == 65
    if text[at] == 92:
        return at + 4 < size and memcmp(text + at + 1, b"u00", 3) == 0 and 50 <= text[at + 4] <= 55
    return False


cdef bint begins_token(const uint8_t *text, Py_ssize_t size) noexcept nogil:
    cdef int number
    for number in range(PREFIX_COUNT):
        if PREFIXES[number].text[0] == text[0] and PREFIXES[number].size <= size:
            if memcmp(text, PREFIXES[number].text, PREFIXES[number].size) == 0:
                return True
    return False


cdef bint is_iban(const uint8_t *text, Py_ssize_t size) noexcept nogil:
    """Does a word begin as an IBAN of its country's length that is 1 modulo 97 (ISO 13616)."""
    cdef uint8_t number[MAX_IBAN]
    cdef int count, length
    cdef uint32_t rest = 0
    cdef uint8_t c
    cdef Py_ssize_t at = 0
    if size < IBAN_HEAD or not (is_letter(text[0]) and is_letter(text[1])):
        return False
    if not (is_digit(text[2]) and is_digit(text[3])):
        return False
    length = IBAN_LENGTH[of_two(text)]
    if length == 0:
        return False
    for count in range(length):
        if at < size and text[at] == 32:
            at += 1
        if at >= size or not KINDS_OF[text[at]] & (DIGIT | LETTER):
            return False
        number[count] = text[at]
        at += 1
    if at < size and KINDS_OF[text[at]] & (DIGIT | LETTER):
        return False
    for count in range(length):
        c = number[(count + IBAN_HEAD) % length]
        rest = (rest * 10 + c - 48) % 97 if is_digit(c) else (rest * 100 + (c | 32) - 87) % 97
    return rest == 1


cdef bint is_ssn_like(const uint8_t *text, Py_ssize_t at) noexcept nogil:
    """Is the digit at that place the last of three, two and four with hyphens between."""
    cdef int back
    if at < SSN_BYTES - 1 or text[at - 4] != 45 or text[at - 7] != 45:
        return False
    for back in range(SSN_BYTES):
        if back != 4 and back != 7 and not is_digit(text[at - back]):
            return False
    return True


cdef bint is_card_like(const uint8_t *text, Py_ssize_t at) noexcept nogil:
    """Do some groups that end with the digit at that place make a card's number: length, first and check digit."""
    cdef int count = 0, groups = 0, total = 0, digit
    while groups < CARD_GROUPS:
        digit = text[at] - 48
        if count & 1:
            digit = 2 * digit - (9 if digit > 4 else 0)
        total += digit
        count += 1
        if count > MAX_CARD_DIGITS:
            return False
        if at > 0 and is_letter(text[at - 1]):
            return False
        if at == 0 or not is_digit(text[at - 1]):
            groups += 1
            if count >= MIN_CARD_DIGITS and 50 <= text[at] <= 54 and total % 10 == 0:
                return True
        if not goes_on(text, at):
            return False
        at -= 1 if is_digit(text[at - 1]) else 2
    return False


cdef inline bint goes_on(const uint8_t *text, Py_ssize_t at) noexcept nogil:
    """Does a digit stand before that place, with one blank or hyphen between at most."""
    if at > 0 and is_digit(text[at - 1]):
        return True
    return at > 1 and (text[at - 1] == 32 or text[at - 1] == 45) and is_digit(text[at - 2])


cdef bint has_cards(const uint8_t *text, Py_ssize_t size) noexcept nogil:
    """Whatever is long enough for a card's number stands over one of the places that are looked at."""
    cdef Py_ssize_t at = MIN_CARD_DIGITS - 1, begin, end
    while at < size:
        if not KINDS_OF[text[at]] & (DIGIT | BLANK | HYPHEN):
            at += MIN_CARD_DIGITS
            continue
        begin, end = at, at + 1
        while begin > 0 and KINDS_OF[text[begin - 1]] & (DIGIT | BLANK | HYPHEN):
            begin -= 1
        while end < size and KINDS_OF[text[end]] & (DIGIT | BLANK | HYPHEN):
            end += 1
        if end - begin >= MIN_CARD_DIGITS and has_card(text, size, begin, end):
            return True
        at = end + MIN_CARD_DIGITS
    return False


cdef bint has_card(
    const uint8_t *text, Py_ssize_t size, Py_ssize_t begin, Py_ssize_t end
) noexcept nogil:
    cdef Py_ssize_t at
    for at in range(begin, end):
        if is_digit(text[at]) and (at + 1 == size or not KINDS_OF[text[at + 1]] & (DIGIT | LETTER)):
            if is_card_like(text, at):
                return True
    return False


cdef bint has_hyphens(const uint8_t *text, Py_ssize_t size) noexcept nogil:
    """Five in a row, or two in a social security number."""
    cdef Py_ssize_t at
    cdef int row = 0
    for at in range(size):
        row = row + 1 if text[at] == 45 else 0
        if row == 5 or is_digit(text[at]) and is_ssn_like(text, at):
            return True
    return False


cdef bint has_signs(const uint8_t *text, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t at
    for at in range(size):
        if is_sign(text, size, at):
            return True
    return False


cdef bint has_marks(const uint8_t *text, Py_ssize_t size) noexcept nogil:
    """Looks at how words begin, and by the way at what else there may be."""
    cdef Py_ssize_t at
    cdef uint8_t seen = 0, before = 0, now
    for at in range(size):
        now = KINDS_OF[text[at]]
        seen |= now
        if now & (DIGIT | LETTER) and not before & (DIGIT | LETTER):
            if is_word_marked(text + at, size - at):
                return True
        before = now
    if seen & AT or seen & SIGN and has_signs(text, size):
        return True
    if seen & HYPHEN and has_hyphens(text, size):
        return True
    return seen & DIGIT and has_cards(text, size)


cdef inline bint is_word_marked(const uint8_t *text, Py_ssize_t size) noexcept nogil:
    if size > 1 and BEGINS[of_two(text)] and begins_token(text, size):
        return True
    return is_iban(text, size)


def worth_reading(bytes value not None):
    """May there be something in the text."""
    return has_marks(<const uint8_t *>PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value))
