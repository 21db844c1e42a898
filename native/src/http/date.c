#include "http/date.h"

#include <string.h>

#define DAY_SECONDS 86400
#define LAST_SECOND INT64_C(253402300799) /* 9999-12-31 23:59:59 */

struct civil {
    uint32_t year, month, day; /* month 0..11, day 1.. */
};

// Years are counted from 1 March, so that a leap day is the last day of its year, century or four centuries.
static struct civil civil_from_days(uint32_t days)
{
    static const uint16_t month_start[] = {0, 31, 61, 92, 122, 153, 184, 214, 245, 275, 306, 337};
    const uint32_t century = 36524, four_years = 1461, year = 365;

    days += 135080; // from 1600-03-01 to 1970-01-01
    uint32_t result = 1600 + days / (4 * century + 1) * 400;
    days %= 4 * century + 1;
    uint32_t centuries = days / century < 3 ? days / century : 3;
    days -= centuries * century;
    result += centuries * 100 + days / four_years * 4;
    days %= four_years;
    uint32_t years = days / year < 3 ? days / year : 3;
    days -= years * year;
    result += years;

    uint32_t month = 11;
    while (month_start[month] > days)
        month--;
    uint32_t day = days - month_start[month] + 1;
    if (month >= 10)
        return (struct civil){result + 1, month - 10, day};
    return (struct civil){result, month + 2, day};
}

static void put_digits(char *text, uint32_t count, uint32_t number)
{
    for (; count > 0; number /= 10)
        text[--count] = (char)('0' + number % 10);
}

void gn_date_update(struct gn_date *date, int64_t seconds_since_epoch)
{
    if (date->second == seconds_since_epoch && date->text[0] != '\0')
        return;
    date->second = seconds_since_epoch;
    int64_t second = seconds_since_epoch;
    if (second < 0)
        second = 0;
    if (second > LAST_SECOND)
        second = LAST_SECOND;

    uint32_t days = (uint32_t)(second / DAY_SECONDS), rest = (uint32_t)(second % DAY_SECONDS);
    struct civil civil = civil_from_days(days);
    char *text = date->text;
    memcpy(text, "Day, 00 Mon 0000 00:00:00 GMT", GN_DATE_LENGTH);
    memcpy(text, &"ThuFriSatSunMonTueWed"[days % 7 * 3], 3);
    put_digits(text + 5, 2, civil.day);
    memcpy(text + 8, &"JanFebMarAprMayJunJulAugSepOctNovDec"[civil.month * 3], 3);
    put_digits(text + 12, 4, civil.year);
    put_digits(text + 17, 2, rest / 3600);
    put_digits(text + 20, 2, rest / 60 % 60);
    put_digits(text + 23, 2, rest % 60);
}
