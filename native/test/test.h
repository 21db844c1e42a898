/*
 * A test program in one header: tests register themselves, TEST_MAIN runs them in order of definition and prints one
 * line for each. A failed CHECK prints its place and values and fails the test; the test goes on, so that one run shows
 * all that is wrong. An argument on the command line runs only the tests whose name contains it.
 */
#ifndef GN_TEST_H
#define GN_TEST_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct test {
    const char *name;
    void (*run)(void);
    struct test *next;
};

static struct test *test_first;
__attribute__((unused)) static struct test **test_last = &test_first;
static unsigned test_failures;

static inline void test_fail(const char *file, int line)
{
    test_failures++;
    fprintf(stderr, "%s:%d: ", file, line);
}

#define TEST(name)                                                                                                     \
    static void test_##name(void);                                                                                     \
    __attribute__((constructor)) static void register_##name(void)                                                     \
    {                                                                                                                  \
        static struct test test = {#name, test_##name, NULL};                                                          \
        *test_last = &test;                                                                                            \
        test_last = &test.next;                                                                                        \
    }                                                                                                                  \
    static void test_##name(void)

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            test_fail(__FILE__, __LINE__);                                                                             \
            fprintf(stderr, "not so: %s\n", #condition);                                                               \
        }                                                                                                              \
    } while (0)

/* For integers of any type that fits into long long. */
#define CHECK_EQ(actual, expected)                                                                                     \
    do {                                                                                                               \
        long long actual_ = (long long)(actual), expected_ = (long long)(expected);                                    \
        if (actual_ != expected_) {                                                                                    \
            test_fail(__FILE__, __LINE__);                                                                             \
            fprintf(stderr, "%s is %lld, expected %lld\n", #actual, actual_, expected_);                               \
        }                                                                                                              \
    } while (0)

/* bytes[0..length) against a C string. */
#define CHECK_BYTES(bytes, length, text)                                                                               \
    do {                                                                                                               \
        size_t length_ = (size_t)(length);                                                                             \
        if (length_ != strlen(text) || memcmp((bytes), (text), length_) != 0) {                                        \
            test_fail(__FILE__, __LINE__);                                                                             \
            fprintf(stderr, "%s is\n<%.*s>\nexpected\n<%s>\n", #bytes, (int)length_, (const char *)(bytes), (text));   \
        }                                                                                                              \
    } while (0)

/* Ends the program: for what the rest of a test cannot do without. */
#define REQUIRE(condition)                                                                                             \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            test_fail(__FILE__, __LINE__);                                                                             \
            fprintf(stderr, "cannot go on without: %s\n", #condition);                                                 \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

#define TEST_MAIN()                                                                                                    \
    int main(int count, char **arguments)                                                                              \
    {                                                                                                                  \
        unsigned run = 0, failed = 0;                                                                                  \
        for (struct test *test = test_first; test != NULL; test = test->next) {                                        \
            if (count > 1 && strstr(test->name, arguments[1]) == NULL)                                                 \
                continue;                                                                                              \
            unsigned before = test_failures;                                                                           \
            test->run();                                                                                               \
            run++;                                                                                                     \
            failed += test_failures != before;                                                                         \
            printf("%s %s\n", test_failures == before ? "ok  " : "FAIL", test->name);                                  \
            fflush(stdout);                                                                                            \
        }                                                                                                              \
        printf("%u passed, %u failed\n", run - failed, failed);                                                        \
        return failed != 0 || run == 0;                                                                                \
    }

#endif
