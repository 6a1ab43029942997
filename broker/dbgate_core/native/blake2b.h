/* Keyed BLAKE2b with a digest of 32 bytes (RFC 7693). The reference is Python's hashlib.
 *
 * A key fills the first block whatever the value, so its state is made once and kept: a value of up
 * to 128 bytes then costs one compression.
 */

#ifndef DBGATE_BLAKE2B_H
#define DBGATE_BLAKE2B_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { BLAKE2B_BLOCK = 128, BLAKE2B_DIGEST = 32, BLAKE2B_MAX_KEY = 64 };

static const uint64_t blake2b_iv[8] = {
    0x6a09e667f3bcc908u, 0xbb67ae8584caa73bu, 0x3c6ef372fe94f82bu, 0xa54ff53a5f1d36f1u,
    0x510e527fade682d1u, 0x9b05688c2b3e6c1fu, 0x1f83d9abfb41bd6bu, 0x5be0cd19137e2179u,
};

/* RFC 7693 2.7; rounds 10 and 11 are rounds 0 and 1 again. */
static const uint8_t blake2b_sigma[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

static inline uint64_t blake2b_word(const uint8_t *at) {
    uint64_t word = 0;
    for (int i = 7; i >= 0; i--) word = word << 8 | at[i];
    return word;
}

static inline uint64_t blake2b_turn(uint64_t word, int bits) {
    return word >> bits | word << (64 - bits);
}

#define BLAKE2B_MIX(a, b, c, d, x, y)                                                    \
    do {                                                                                 \
        a += b + (x); d = blake2b_turn(d ^ a, 32); c += d; b = blake2b_turn(b ^ c, 24);  \
        a += b + (y); d = blake2b_turn(d ^ a, 16); c += d; b = blake2b_turn(b ^ c, 63);  \
    } while (0)

#define BLAKE2B_ROUND(r)                                                                 \
    do {                                                                                 \
        const uint8_t *s = blake2b_sigma[(r) % 10];                                      \
        BLAKE2B_MIX(v[0], v[4], v[8], v[12], m[s[0]], m[s[1]]);                          \
        BLAKE2B_MIX(v[1], v[5], v[9], v[13], m[s[2]], m[s[3]]);                          \
        BLAKE2B_MIX(v[2], v[6], v[10], v[14], m[s[4]], m[s[5]]);                         \
        BLAKE2B_MIX(v[3], v[7], v[11], v[15], m[s[6]], m[s[7]]);                         \
        BLAKE2B_MIX(v[0], v[5], v[10], v[15], m[s[8]], m[s[9]]);                         \
        BLAKE2B_MIX(v[1], v[6], v[11], v[12], m[s[10]], m[s[11]]);                       \
        BLAKE2B_MIX(v[2], v[7], v[8], v[13], m[s[12]], m[s[13]]);                        \
        BLAKE2B_MIX(v[3], v[4], v[9], v[14], m[s[14]], m[s[15]]);                        \
    } while (0)

/* One block; `counter` is the number of bytes so far, this block's own included. */
static void blake2b_compress(uint64_t h[8], const uint8_t block[BLAKE2B_BLOCK],
                             uint64_t counter, int last) {
    uint64_t m[16], v[16];
    for (int i = 0; i < 16; i++) m[i] = blake2b_word(block + 8 * i);
    for (int i = 0; i < 8; i++) { v[i] = h[i]; v[i + 8] = blake2b_iv[i]; }
    v[12] ^= counter;
    if (last) v[14] = ~v[14];
    BLAKE2B_ROUND(0); BLAKE2B_ROUND(1); BLAKE2B_ROUND(2); BLAKE2B_ROUND(3);
    BLAKE2B_ROUND(4); BLAKE2B_ROUND(5); BLAKE2B_ROUND(6); BLAKE2B_ROUND(7);
    BLAKE2B_ROUND(8); BLAKE2B_ROUND(9); BLAKE2B_ROUND(10); BLAKE2B_ROUND(11);
    for (int i = 0; i < 8; i++) h[i] ^= v[i] ^ v[i + 8];
}

/* The state behind a key of 1 to 64 bytes. */
static void blake2b_keyed(uint64_t h[8], const uint8_t *key, size_t key_bytes) {
    uint8_t block[BLAKE2B_BLOCK] = {0};
    memcpy(h, blake2b_iv, sizeof blake2b_iv);
    h[0] ^= 0x01010000u ^ (uint64_t)key_bytes << 8 ^ BLAKE2B_DIGEST;
    memcpy(block, key, key_bytes);
    blake2b_compress(h, block, BLAKE2B_BLOCK, 0);
}

/* The digest of a value that is not empty: of an empty one the key's own block would be the last. */
static void blake2b_digest(const uint64_t keyed[8], const uint8_t *value, size_t bytes,
                           uint8_t digest[BLAKE2B_DIGEST]) {
    uint8_t block[BLAKE2B_BLOCK] = {0};
    uint64_t h[8], counter = BLAKE2B_BLOCK;
    memcpy(h, keyed, sizeof h);
    for (; bytes > BLAKE2B_BLOCK; value += BLAKE2B_BLOCK, bytes -= BLAKE2B_BLOCK)
        blake2b_compress(h, value, counter += BLAKE2B_BLOCK, 0);
    memcpy(block, value, bytes);
    blake2b_compress(h, block, counter + bytes, 1);
    for (int i = 0; i < BLAKE2B_DIGEST; i++) digest[i] = (uint8_t)(h[i / 8] >> 8 * (i % 8));
}

#endif
