/*
 * The value of the Date field: IMF-fixdate (RFC 9110 5.6.7), kept as text and written anew once a second. It asks no
 * locale, no time zone and no clock. Thread: its owner's.
 */
#ifndef GN_HTTP_DATE_H
#define GN_HTTP_DATE_H

#include <stdint.h>

#define GN_DATE_LENGTH 29

struct gn_date {
    int64_t second;            /* since 1970-01-01 00:00:00 UTC, what `text` says */
    char text[GN_DATE_LENGTH]; /* not terminated; all zero, as in a zeroed structure, until the first update */
};

/* Makes `date` say that second; returns at once where it does. What lies outside the years 1970 to 9999 is written as
   the nearest second inside. */
void gn_date_update(struct gn_date *date, int64_t seconds_since_epoch);

#endif
