# SipHash-2-4 with a digest of 128 bits. Twin: dbgate_core/masking/siphash.py.

cdef enum:
    KEY_BYTES = 16
    DIGEST_BYTES = 16

cdef struct Sip:
    uint64_t a, b, c, d


cdef inline uint64_t turned(uint64_t word, int bits) noexcept nogil:
    return (word << bits) | (word >> (64 - bits))


cdef inline uint64_t read64(const uint8_t *at, int size) noexcept nogil:
    """Up to eight bytes, the least first."""
    cdef uint64_t word = 0
    cdef int number
    for number in range(size):
        word |= <uint64_t>at[number] << (8 * number)
    return word


cdef inline void sip_rounds(Sip *s, int count) noexcept nogil:
    cdef int number
    for number in range(count):
        s.a += s.b
        s.b = turned(s.b, 13) ^ s.a
        s.a = turned(s.a, 32)
        s.c += s.d
        s.d = turned(s.d, 16) ^ s.c
        s.a += s.d
        s.d = turned(s.d, 21) ^ s.a
        s.c += s.b
        s.b = turned(s.b, 17) ^ s.c
        s.c = turned(s.c, 32)


cdef inline void sip_word(Sip *s, uint64_t word) noexcept nogil:
    s.d ^= word
    sip_rounds(s, 2)
    s.a ^= word


cdef void sip_digest(
    const uint8_t *key, const uint8_t *value, Py_ssize_t size, uint8_t *digest
) noexcept nogil:
    cdef uint64_t k0 = read64(key, 8), k1 = read64(key + 8, 8), first, second
    cdef Py_ssize_t at = 0
    cdef int number
    cdef Sip s
    s.a = k0 ^ <uint64_t>0x736F6D6570736575
    s.b = k1 ^ <uint64_t>0x646F72616E646F6D ^ 0xEE
    s.c = k0 ^ <uint64_t>0x6C7967656E657261
    s.d = k1 ^ <uint64_t>0x7465646279746573
    while size - at >= 8:
        sip_word(&s, read64(value + at, 8))
        at += 8
    sip_word(&s, read64(value + at, <int>(size - at)) | (<uint64_t>size << 56))
    s.c ^= 0xEE
    sip_rounds(&s, 4)
    first = s.a ^ s.b ^ s.c ^ s.d
    s.b ^= 0xDD
    sip_rounds(&s, 4)
    second = s.a ^ s.b ^ s.c ^ s.d
    for number in range(8):
        digest[number] = <uint8_t>(first >> (8 * number))
        digest[number + 8] = <uint8_t>(second >> (8 * number))


def siphash(bytes key not None, bytes value not None):
    """16 pseudo-random bytes for the value. `key` has 16 bytes, else ValueError."""
    cdef uint8_t digest[DIGEST_BYTES]
    if PyBytes_GET_SIZE(key) != KEY_BYTES:
        raise ValueError(f"a SipHash key of {len(key)} bytes")
    sip_digest(
        <const uint8_t *>PyBytes_AS_STRING(key),
        <const uint8_t *>PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value), digest,
    )
    return PyBytes_FromStringAndSize(<char *>digest, DIGEST_BYTES)
