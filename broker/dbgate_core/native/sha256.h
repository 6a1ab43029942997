/* SHA-256 (FIPS 180-4) by the instructions that x86 processors have for it. Nothing else is here: where
   they are missing, the twins in Python use OpenSSL. For the short inputs of the audit log the calls into
   OpenSSL cost more than the hash does. */

#ifndef DBGATE_SHA256_H
#define DBGATE_SHA256_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SHA256_BLOCK_BYTES 64
#define SHA256_LENGTH_BYTES 8

#if defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>
#include <immintrin.h>

static const uint32_t sha256_k[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

/* CPUID: leaf 1 has SSSE3 (ECX 9) and SSE4.1 (ECX 19), leaf 7 has SHA (EBX 29). */
static int sha256_here(void)
{
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c >> 9 & 1) || !(c >> 19 & 1))
        return 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b >> 29 & 1);
}

/* Whole blocks. The instructions keep the state as ABEF and CDGH. */
__attribute__((target("sha,sse4.1,ssse3")))
static void sha256_blocks(uint32_t state[8], const uint8_t *data, size_t blocks)
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    __m128i badc = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0xb1);
    __m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(state + 4)), 0x1b);
    __m128i abef = _mm_alignr_epi8(badc, hgfe, 8);
    __m128i cdgh = _mm_blend_epi16(hgfe, badc, 0xf0);
    while (blocks--) {
        const __m128i before0 = abef, before1 = cdgh;
        __m128i w[16], rounds;
        for (int n = 0; n < 16; n++) {      /* four rounds each */
            if (n < 4)
                w[n] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)data + n), swap);
            else
                w[n] = _mm_sha256msg2_epu32(
                    _mm_add_epi32(_mm_sha256msg1_epu32(w[n - 4], w[n - 3]),
                                  _mm_alignr_epi8(w[n - 1], w[n - 2], 4)),
                    w[n - 1]);
            rounds = _mm_add_epi32(w[n], _mm_load_si128((const __m128i *)sha256_k + n));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, rounds);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(rounds, 0x0e));
        }
        abef = _mm_add_epi32(abef, before0);
        cdgh = _mm_add_epi32(cdgh, before1);
        data += SHA256_BLOCK_BYTES;
    }
    const __m128i feba = _mm_shuffle_epi32(abef, 0x1b), dchg = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}
#else
static int sha256_here(void) { return 0; }
static void sha256_blocks(uint32_t state[8], const uint8_t *data, size_t blocks)
{
    (void)state, (void)data, (void)blocks;
}
#endif

/* The hash of `head`, at most a byte, and `data`. Only where sha256_here() says so. */
static void sha256_of(const uint8_t *head, size_t head_bytes, const uint8_t *data, size_t size, uint8_t out[32])
{
    uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    const uint64_t bits = (uint64_t)(head_bytes + size) * 8;
    uint8_t block[2 * SHA256_BLOCK_BYTES];
    size_t held = head_bytes, first, last;
    memcpy(block, head, head_bytes);
    if (held && held + size >= SHA256_BLOCK_BYTES) {   /* the rest of the first block, with the head before it */
        first = SHA256_BLOCK_BYTES - held;
        memcpy(block + held, data, first);
        sha256_blocks(state, block, 1);
        data += first, size -= first, held = 0;
    }
    if (!held) {
        sha256_blocks(state, data, size / SHA256_BLOCK_BYTES);
        data += size - size % SHA256_BLOCK_BYTES, size %= SHA256_BLOCK_BYTES;
    }
    memcpy(block + held, data, size);
    held += size;
    last = held + 1 + SHA256_LENGTH_BYTES > SHA256_BLOCK_BYTES ? 2 * SHA256_BLOCK_BYTES : SHA256_BLOCK_BYTES;
    memset(block + held, 0, last - held);
    block[held] = 0x80;
    for (int n = 0; n < SHA256_LENGTH_BYTES; n++)
        block[last - 1 - n] = (uint8_t)(bits >> 8 * n);
    sha256_blocks(state, block, last / SHA256_BLOCK_BYTES);
    for (int n = 0; n < 32; n++)
        out[n] = (uint8_t)(state[n / 4] >> (24 - 8 * (n % 4)));
}

#endif
