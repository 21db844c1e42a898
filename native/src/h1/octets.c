#include "h1/octets.h"

#define VISIBLE GN_H1_TARGET
#define MARK (VISIBLE | GN_H1_TOKEN | GN_H1_REG_NAME)
#define LETTER MARK
#define HEX_LETTER (MARK | GN_H1_HEX_DIGIT)
#define DIGIT (MARK | GN_H1_DIGIT | GN_H1_HEX_DIGIT)

/* clang-format off */
const uint8_t gn_h1_octets[256] = {
    ['"'] = VISIBLE,  ['/'] = VISIBLE,  [':'] = VISIBLE, ['<'] = VISIBLE, ['>'] = VISIBLE, ['?'] = VISIBLE,
    ['@'] = VISIBLE,  ['['] = VISIBLE,  [']'] = VISIBLE, ['{'] = VISIBLE, ['}'] = VISIBLE, ['\\'] = VISIBLE,
    ['!'] = MARK,     ['$'] = MARK,     ['&'] = MARK,    ['\''] = MARK,   ['*'] = MARK,    ['+'] = MARK,
    ['-'] = MARK,     ['.'] = MARK,     ['_'] = MARK,    ['~'] = MARK,
    ['#'] = GN_H1_TOKEN,                ['%'] = VISIBLE | GN_H1_TOKEN,
    ['^'] = VISIBLE | GN_H1_TOKEN,      ['`'] = VISIBLE | GN_H1_TOKEN,    ['|'] = VISIBLE | GN_H1_TOKEN,
    ['('] = VISIBLE | GN_H1_REG_NAME,   [')'] = VISIBLE | GN_H1_REG_NAME, [','] = VISIBLE | GN_H1_REG_NAME,
    [';'] = VISIBLE | GN_H1_REG_NAME,   ['='] = VISIBLE | GN_H1_REG_NAME,
    ['0' ... '9'] = DIGIT,
    ['A' ... 'F'] = HEX_LETTER, ['G' ... 'Z'] = LETTER,
    ['a' ... 'f'] = HEX_LETTER, ['g' ... 'z'] = LETTER,
};
/* clang-format on */
