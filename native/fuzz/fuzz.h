/*
 * What the fuzz targets share. A target is one function over bytes that any bytes may be given to; it ends the process
 * where a property of the core does not hold, and returns 0. native/fuzz/<target>_fuzz.c is built twice: with libFuzzer
 * (preset `fuzz`), and with replay.c, which runs files through it, in the ordinary test build.
 */
#ifndef GN_FUZZ_FUZZ_H
#define GN_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* A property of the core. */
#define HOLDS(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                             \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

/* What is left of an input; past its end it goes on with zeros. */
struct fuzz_input {
    const uint8_t *bytes;
    size_t length;
};

static inline uint8_t fuzz_octet(struct fuzz_input *input)
{
    if (input->length == 0)
        return 0;
    input->length--;
    return *input->bytes++;
}

/* A copy on the heap of exactly `length` bytes, so that a sanitizer sees each read outside of them. */
static inline uint8_t *fuzz_copy(const uint8_t *bytes, size_t length)
{
    uint8_t *copy = malloc(length == 0 ? 1 : length);
    HOLDS(copy != NULL);
    if (length != 0)
        memcpy(copy, bytes, length);
    return copy;
}

#endif
