#include "http/date.h"

#include <time.h>

#include "test.h"

static void check_date(int64_t second, const char *text)
{
    struct gn_date date = {0};
    gn_date_update(&date, second);
    CHECK_EQ(date.second, second);
    CHECK_BYTES(date.text, sizeof(date.text), text);
}

TEST(the_example_of_rfc_9110)
{
    check_date(784111777, "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST(first_and_last_seconds)
{
    check_date(0, "Thu, 01 Jan 1970 00:00:00 GMT");
    check_date(1, "Thu, 01 Jan 1970 00:00:01 GMT");
    check_date(INT64_C(253402300799), "Fri, 31 Dec 9999 23:59:59 GMT");
}

TEST(a_clock_that_is_far_off_is_held_at_the_ends)
{
    check_date(-1, "Thu, 01 Jan 1970 00:00:00 GMT");
    check_date(INT64_MIN, "Thu, 01 Jan 1970 00:00:00 GMT");
    check_date(INT64_C(253402300800), "Fri, 31 Dec 9999 23:59:59 GMT");
    check_date(INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT");
}

TEST(leap_years)
{
    check_date(951782400, "Tue, 29 Feb 2000 00:00:00 GMT");
    check_date(951868799, "Tue, 29 Feb 2000 23:59:59 GMT");
    check_date(951868800, "Wed, 01 Mar 2000 00:00:00 GMT");
    check_date(1709164800, "Thu, 29 Feb 2024 00:00:00 GMT");
    check_date(1740787199, "Fri, 28 Feb 2025 23:59:59 GMT");
    check_date(1740787200, "Sat, 01 Mar 2025 00:00:00 GMT");
    check_date(INT64_C(4107542399), "Sun, 28 Feb 2100 23:59:59 GMT");
    check_date(INT64_C(4107542400), "Mon, 01 Mar 2100 00:00:00 GMT");
    check_date(INT64_C(13574563200), "Tue, 29 Feb 2400 00:00:00 GMT");
}

TEST(the_same_second_is_not_written_again)
{
    struct gn_date date = {0};
    gn_date_update(&date, 784111777);
    date.text[0] = 'X';
    gn_date_update(&date, 784111777);
    CHECK_EQ(date.text[0], 'X');
    gn_date_update(&date, 784111778);
    CHECK_BYTES(date.text, sizeof(date.text), "Sun, 06 Nov 1994 08:49:38 GMT");
    gn_date_update(&date, 784111777);
    CHECK_BYTES(date.text, sizeof(date.text), "Sun, 06 Nov 1994 08:49:37 GMT");
}

static void compare_with_c_library(int64_t second)
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t time = (time_t)second;
    struct tm tm;
    REQUIRE(gmtime_r(&time, &tm) != NULL);
    char text[64];
    snprintf(text, sizeof(text), "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
             tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
    check_date(second, text);
}

TEST(every_day_of_nine_centuries_as_the_c_library_says)
{
    for (int64_t day = 0; day < 330000; day++)
        compare_with_c_library(day * 86400 + day % 86400);
}

TEST(random_seconds_as_the_c_library_says)
{
    uint64_t random = 0x9e3779b97f4a7c15;
    for (int i = 0; i < 200000; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        compare_with_c_library((int64_t)(random % 253402300800));
    }
}

TEST_MAIN()
