/*
 * Nanoseconds a head, for each width of the request parser that this processor has: the head that wrk sends, one as a
 * browser sends it, and the second cut after every 64 bytes. The best of several rounds is told, for the others were
 * disturbed. Run it on a core of its own: parser_bench [rounds].
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "h1/request_parser.h"
#include "http/field_name.h"
#include "http/status.h"

#define REPEATS 200000
#define FIELDS 100

static const char small[] = "GET /plaintext HTTP/1.1\r\nHost: localhost:8080\r\n\r\n";
static const char four_fields[] =
    "POST /api/orders?page=2 HTTP/1.1\r\nHost: shop.example.com\r\nUser-Agent: curl/8.5.0\r\n"
    "Accept: */*\r\nContent-Length: 128\r\n\r\n";
static const char browser[] =
    "GET /articles/2024/06/why-gannets-dive?utm_source=feed&ref=front HTTP/1.1\r\n"
    "Host: www.example.org\r\n"
    "Connection: keep-alive\r\n"
    "Cache-Control: max-age=0\r\n"
    "Upgrade-Insecure-Requests: 1\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Safari/537.36\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n"
    "Sec-Fetch-Site: same-origin\r\n"
    "Sec-Fetch-Mode: navigate\r\n"
    "Referer: https://www.example.org/articles/2024/06/\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"
    "Cookie: session=4f1d9a60c2e84c0f9a53b1f7b1d2e7c8; theme=dark; consent=all; visits=17\r\n"
    "\r\n";

static const struct gn_h1_request_limits limits = {65536, 32768, FIELDS, 8, 0, NULL};

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* With a width of GN_H1_WIDTH_COUNT the parser chooses. */
static enum gn_h1_status parse(enum gn_h1_width width, struct gn_h1_request *request, const uint8_t *bytes,
                               size_t length)
{
    return width == GN_H1_WIDTH_COUNT ? gn_h1_request_parse(request, bytes, length, &limits)
                                      : gn_h1_request_parse_width(width, request, bytes, length, &limits);
}

static double measure(enum gn_h1_width width, const char *head, size_t length, size_t cut, unsigned rounds)
{
    static struct gn_h1_field fields[FIELDS];
    struct gn_h1_request request;
    const uint8_t *bytes = (const uint8_t *)head;
    double best = 1e18;
    for (unsigned round = 0; round < rounds; round++) {
        double begin = now();
        for (unsigned i = 0; i < REPEATS; i++) {
            // The compiler must take the bytes for new ones each time.
            __asm__ volatile("" : "+r"(bytes) : : "memory");
            enum gn_h1_status status = GN_H1_MORE;
            gn_h1_request_start(&request, fields);
            for (size_t given = cut; status == GN_H1_MORE; given += cut)
                status = parse(width, &request, bytes, given < length ? given : length);
            if (status != GN_H1_COMPLETE) {
                fprintf(stderr, "status %d\n", status);
                exit(1);
            }
        }
        double time = (now() - begin) / REPEATS;
        best = time < best ? time : best;
    }
    return best;
}

/* The names of the browser's head, looked up in their order. */
static double measure_names(unsigned rounds)
{
    static const char *const names[] = {"Host",       "Connection",      "Cache-Control",   "Upgrade-Insecure-Requests",
                                        "User-Agent", "Accept",          "Sec-Fetch-Site",  "Sec-Fetch-Mode",
                                        "Referer",    "Accept-Encoding", "Accept-Language", "Cookie"};
    enum { NAMES = sizeof names / sizeof *names };
    size_t lengths[NAMES];
    double best = 1e18;
    for (size_t i = 0; i < NAMES; i++)
        lengths[i] = strlen(names[i]);
    for (unsigned round = 0; round < rounds; round++) {
        double begin = now();
        for (unsigned i = 0; i < REPEATS; i++) {
            for (size_t name = 0; name < NAMES; name++) {
                enum gn_field_name found = gn_field_name_lookup((const uint8_t *)names[name], lengths[name]);
                __asm__ volatile("" : : "r"(found) : "memory");
            }
        }
        double time = (now() - begin) / REPEATS / NAMES;
        best = time < best ? time : best;
    }
    return best;
}

int main(int count, char **arguments)
{
    static const char *const widths[] = {"portable", "sse4.2", "chosen"};
    unsigned rounds = count > 1 ? (unsigned)strtoul(arguments[1], NULL, 10) : 10;
    printf("%-10s %12s %12s %12s %12s\n", "ns/head", "small", "4 fields", "browser", "browser/64");
    printf("%-10s %12zu %12zu %12zu %12zu\n", "bytes", sizeof small - 1, sizeof four_fields - 1, sizeof browser - 1,
           sizeof browser - 1);
    for (int width = 0; width <= GN_H1_WIDTH_COUNT; width++) {
        if (width < GN_H1_WIDTH_COUNT && !gn_h1_width_supported((enum gn_h1_width)width))
            continue;
        enum gn_h1_width chosen = (enum gn_h1_width)width;
        printf("%-10s %12.1f %12.1f %12.1f %12.1f\n", widths[width],
               measure(chosen, small, sizeof small - 1, sizeof small - 1, rounds),
               measure(chosen, four_fields, sizeof four_fields - 1, sizeof four_fields - 1, rounds),
               measure(chosen, browser, sizeof browser - 1, sizeof browser - 1, rounds),
               measure(chosen, browser, sizeof browser - 1, 64, rounds));
        fflush(stdout);
    }
    double begin = now();
    for (unsigned i = 0; i < REPEATS; i++) {
        uint8_t line[GN_STATUS_LINE_MAX];
        size_t length = gn_status_line(200, line);
        __asm__ volatile("" : : "r"(line), "r"(length) : "memory");
    }
    printf("status line: %.1f ns\n", (now() - begin) / REPEATS);
    printf("field name: %.1f ns\n", measure_names(rounds));
    return 0;
}
