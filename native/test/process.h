/* What a test asks of its own process. */
#ifndef GN_TEST_PROCESS_H
#define GN_TEST_PROCESS_H

#include <dirent.h>
#include <time.h>

#include "test.h"

/* Descriptors that are open now, with that of the listing itself. */
static inline unsigned count_descriptors(void)
{
    unsigned count = 0;
    DIR *directory = opendir("/proc/self/fd");
    REQUIRE(directory != NULL);
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

static inline time_t seconds_now(void)
{
    struct timespec time;
    REQUIRE(clock_gettime(CLOCK_MONOTONIC, &time) == 0);
    return time.tv_sec;
}

#endif
