#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#include "http/octets.h"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("sse4.2"))), apply_to = function)
#else
#pragma GCC target("sse4.2")
#endif

#define SCAN_CHUNK 16

static inline __attribute__((always_inline)) void scan_classify(const uint8_t *bytes, uint32_t *names, uint32_t *values)
{
    // One bit a high nibble (0..7), looked up by the low nibble: set where the two make a tchar (RFC 9110 5.6.2).
    const __m128i tokens = _mm_setr_epi8(GN_OCTET_TOKENS_BY_LOW_NIBBLE);
    const __m128i bits = _mm_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0);
    __m128i chunk = _mm_loadu_si128((const __m128i *)(const void *)bytes);
    __m128i high = _mm_and_si128(_mm_srli_epi16(chunk, 4), _mm_set1_epi8(0x0f));
    __m128i token = _mm_and_si128(_mm_shuffle_epi8(tokens, chunk), _mm_shuffle_epi8(bits, high));
    *names = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(token, _mm_setzero_si128()));

    __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(chunk, _mm_set1_epi8(0x1f)), chunk);
    __m128i tab = _mm_cmpeq_epi8(chunk, _mm_set1_epi8('\t'));
    __m128i del = _mm_cmpeq_epi8(chunk, _mm_set1_epi8(0x7f));
    *values = (uint32_t)_mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(tab, low), del));
}

static inline __attribute__((always_inline)) void scan_classify_target(const uint8_t *bytes, uint32_t *targets,
                                                                       uint32_t *questions)
{
    __m128i chunk = _mm_loadu_si128((const __m128i *)(const void *)bytes);
    __m128i above_space = _mm_cmpgt_epi8(chunk, _mm_set1_epi8(' ')); // signed: 0x21..0x7f
    __m128i del = _mm_cmpeq_epi8(chunk, _mm_set1_epi8(0x7f));
    __m128i hash = _mm_cmpeq_epi8(chunk, _mm_set1_epi8('#'));
    *targets = (uint32_t)_mm_movemask_epi8(_mm_andnot_si128(_mm_or_si128(del, hash), above_space)) ^ 0xffff;
    *questions = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(chunk, _mm_set1_epi8('?')));
}

#include "h1/scan_blocks.h"

#define REQUEST_PARSE gn_h1_request_parse_sse42
#include "h1/request_parser_width.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif

#endif
