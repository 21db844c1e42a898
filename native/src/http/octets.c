#include "http/octets.h"

#define VISIBLE GN_OCTET_TARGET
#define MARK (VISIBLE | GN_OCTET_TOKEN | GN_OCTET_REG_NAME)
#define LETTER MARK
#define HEX_LETTER (MARK | GN_OCTET_HEX_DIGIT)
#define DIGIT (MARK | GN_OCTET_DIGIT | GN_OCTET_HEX_DIGIT)

/* clang-format off */
const uint8_t gn_octets[256] = {
    ['"'] = VISIBLE,  ['/'] = VISIBLE,  [':'] = VISIBLE, ['<'] = VISIBLE, ['>'] = VISIBLE, ['?'] = VISIBLE,
    ['@'] = VISIBLE,  ['['] = VISIBLE,  [']'] = VISIBLE, ['{'] = VISIBLE, ['}'] = VISIBLE, ['\\'] = VISIBLE,
    ['!'] = MARK,     ['$'] = MARK,     ['&'] = MARK,    ['\''] = MARK,   ['*'] = MARK,    ['+'] = MARK,
    ['-'] = MARK,     ['.'] = MARK,     ['_'] = MARK,    ['~'] = MARK,
    ['#'] = GN_OCTET_TOKEN,                ['%'] = VISIBLE | GN_OCTET_TOKEN,
    ['^'] = VISIBLE | GN_OCTET_TOKEN,      ['`'] = VISIBLE | GN_OCTET_TOKEN,    ['|'] = VISIBLE | GN_OCTET_TOKEN,
    ['('] = VISIBLE | GN_OCTET_REG_NAME,   [')'] = VISIBLE | GN_OCTET_REG_NAME, [','] = VISIBLE | GN_OCTET_REG_NAME,
    [';'] = VISIBLE | GN_OCTET_REG_NAME,   ['='] = VISIBLE | GN_OCTET_REG_NAME,
    ['0' ... '9'] = DIGIT,
    ['A' ... 'F'] = HEX_LETTER, ['G' ... 'Z'] = LETTER,
    ['a' ... 'f'] = HEX_LETTER, ['g' ... 'z'] = LETTER,
};
/* clang-format on */
