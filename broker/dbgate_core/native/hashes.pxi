# The hashes of the audit log. Twins: dbgate_core/audit/merkle.py.

cdef extern from "sha256.h":
    int sha256_here() noexcept
    void sha256_of(
        const uint8_t *head, size_t head_bytes, const uint8_t *data, size_t size, uint8_t *out
    ) noexcept

cdef enum:
    HASH_BYTES = 32
    LEVELS = 63                 # of a tree below MAX_LEAVES, and the leaf that comes
    LEAF_HEAD = 0x00            # dbgate_core/audit/merkle.py
    NODE_HEAD = 0x01

HASHES = bool(sha256_here())
"""May these be used: the processor has instructions for SHA-256."""

cdef int64_t MAX_LEAVES = 1 << 62      # dbgate_core/audit/merkle.py
cdef bytes HEX = b"0123456789abcdef"


def line_hash(bytes entry not None):
    """The hash of a line without its line break, in hexadecimal."""
    cdef uint8_t digest[HASH_BYTES]
    cdef char said[2 * HASH_BYTES]
    cdef const char *hexes = PyBytes_AS_STRING(HEX)
    cdef int at
    sha256_of(digest, 0, <const uint8_t *>PyBytes_AS_STRING(entry), PyBytes_GET_SIZE(entry), digest)
    for at in range(HASH_BYTES):
        said[2 * at] = hexes[digest[at] >> 4]
        said[2 * at + 1] = hexes[digest[at] & 15]
    return said[:2 * HASH_BYTES].decode("ascii")


cdef class Tree:
    """A tree that only grows. `size` is its number of leaves."""

    cdef readonly int64_t size
    cdef int count
    cdef uint8_t[LEVELS][HASH_BYTES] roots

    def __init__(self, size=0, subtrees=()):
        cdef list held = list(subtrees)
        if not 0 <= size < MAX_LEAVES or size.bit_count() != len(held):
            raise ValueError(f"a tree of {size} leaves has not {len(held)} subtrees")
        self.size = size
        self.count = 0
        for subtree in held:
            self.push(subtree)

    def append(self, bytes leaf not None):
        """Add a leaf, by its hash."""
        self.push(leaf)
        self.carry()

    def grow(self, bytes entry not None):
        """Add a leaf, by its entry: a line without its line break."""
        cdef uint8_t head = LEAF_HEAD
        sha256_of(
            &head, 1, <const uint8_t *>PyBytes_AS_STRING(entry), PyBytes_GET_SIZE(entry),
            self.roots[self.count],
        )
        self.count += 1
        self.carry()

    def subtrees(self):
        """The roots of the perfect subtrees, from the largest (the oldest leaves) down."""
        return [<bytes>(<char *>self.roots[at])[:HASH_BYTES] for at in range(self.count)]

    def root(self):
        """The root of all leaves so far."""
        cdef uint8_t pair[2 * HASH_BYTES]
        cdef uint8_t head = NODE_HEAD
        cdef int at = self.count - 2
        if not self.count:
            sha256_of(pair, 0, pair, 0, pair)
            return (<char *>pair)[:HASH_BYTES]
        memcpy(pair + HASH_BYTES, self.roots[self.count - 1], HASH_BYTES)
        while at >= 0:
            memcpy(pair, self.roots[at], HASH_BYTES)
            sha256_of(&head, 1, pair, 2 * HASH_BYTES, pair + HASH_BYTES)
            at -= 1
        return (<char *>pair + HASH_BYTES)[:HASH_BYTES]

    cdef int push(self, bytes leaf) except -1:
        if PyBytes_GET_SIZE(leaf) != HASH_BYTES:
            raise ValueError(f"a hash has {HASH_BYTES} bytes")
        memcpy(self.roots[self.count], PyBytes_AS_STRING(leaf), HASH_BYTES)
        self.count += 1
        return 0

    cdef void carry(self) noexcept:
        """Join the last two roots as long as they are of one height, as numbers are added."""
        cdef uint8_t head = NODE_HEAD
        cdef int64_t bits = self.size
        self.size += 1
        while bits & 1:
            self.count -= 1
            sha256_of(&head, 1, self.roots[self.count - 1], 2 * HASH_BYTES, self.roots[self.count - 1])
            bits >>= 1
