/*
 * HPACK for a script (hpack_peer_test.py): reads commands, a line each, and answers each with a line.
 *
 *     decode BLOCK           the fields of a block: NAME:VALUE, by blanks; or "error TEXT"
 *     encode NAME:VALUE...   a block
 *     allow SIZE             what the decoder's peer may set its table to; "done"
 *     limit SIZE             SETTINGS_HEADER_TABLE_SIZE of the encoder's peer; "done"
 *
 * BLOCK, NAME and VALUE are hexadecimal.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "h2/hpack_decoder.h"
#include "h2/hpack_encoder.h"
#include "http/field_name.h"

#define LINE_MAX_BYTES (1U << 20)
#define FIELDS_MAX 4096U

static struct gn_memory memory;
static struct gn_hpack_decoder decoder;
static struct gn_hpack_encoder encoder;

static size_t read_hex(const char *text, size_t digits, uint8_t *to)
{
    for (size_t i = 0; i + 1 < digits; i += 2) {
        char pair[3] = {text[i], text[i + 1], '\0'};
        to[i / 2] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return digits / 2;
}

static void print_hex(const uint8_t *octets, size_t length)
{
    for (size_t i = 0; i < length; i++)
        printf("%02x", octets[i]);
}

static void decode(const char *hex)
{
    static struct gn_hpack_field fields[FIELDS_MAX];
    static uint8_t block[LINE_MAX_BYTES];
    size_t length = read_hex(hex, strlen(hex), block);
    struct gn_hpack_list list = {.fields = fields, .fields_max = FIELDS_MAX, .size_max = LINE_MAX_BYTES};
    list.octets = malloc(gn_hpack_octets_needed(&decoder, list.size_max, length));
    if (list.octets == NULL)
        abort();
    enum gn_hpack_status status = gn_hpack_decode(&decoder, block, length, &list);
    if (status != GN_HPACK_OK || list.too_large || list.malformed)
        printf("error %s", status != GN_HPACK_OK ? gn_hpack_text(status) : "of a field");
    for (uint32_t i = 0; status == GN_HPACK_OK && i < list.count; i++) {
        printf(i == 0 ? "" : " ");
        print_hex(list.octets + fields[i].name, fields[i].name_length);
        printf(":");
        print_hex(list.octets + fields[i].value, fields[i].value_length);
    }
    free(list.octets);
}

static void encode(char *fields)
{
    static uint8_t block[LINE_MAX_BYTES], octets[LINE_MAX_BYTES];
    uint8_t *to = gn_hpack_encode_begin(&encoder, block);
    for (char *field = strtok(fields, " "); field != NULL; field = strtok(NULL, " ")) {
        const char *colon = strchr(field, ':');
        if (colon == NULL)
            abort();
        size_t name_length = read_hex(field, (size_t)(colon - field), octets);
        size_t value_length = read_hex(colon + 1, strlen(colon + 1), octets + name_length);
        octets[name_length + value_length] = '\0';
        if (name_length == 7 && memcmp(octets, ":status", 7) == 0)
            to = gn_hpack_encode_status(&encoder, to, (unsigned)strtoul((char *)octets + 7, NULL, 10));
        else
            to = gn_hpack_encode_field(&encoder, to, (uint16_t)gn_field_name_lookup(octets, name_length), octets,
                                       name_length, octets + name_length, value_length);
    }
    print_hex(block, (size_t)(to - block));
}

int main(void)
{
    static char line[LINE_MAX_BYTES];
    gn_hpack_decoder_start(&decoder, &memory, 4096);
    gn_hpack_encoder_start(&encoder, &memory);
    while (fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *operand = strchr(line, ' ');
        if (operand == NULL)
            abort();
        *operand++ = '\0';
        if (strcmp(line, "decode") == 0) {
            decode(operand);
        } else if (strcmp(line, "encode") == 0) {
            encode(operand);
        } else {
            uint32_t size = (uint32_t)strtoul(operand, NULL, 10);
            if (strcmp(line, "allow") == 0)
                gn_hpack_decoder_allow(&decoder, size);
            else
                gn_hpack_encoder_allow(&encoder, size);
            printf("done");
        }
        printf("\n");
        fflush(stdout);
    }
    gn_hpack_decoder_end(&decoder);
    gn_hpack_encoder_end(&encoder);
    return memory.used != 0;
}
