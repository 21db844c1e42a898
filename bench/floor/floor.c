#define _GNU_SOURCE
#include "floor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>

_Noreturn void floor_fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

void floor_answers_build(struct floor_answers *answers)
{
    static const char ANSWER[] = "HTTP/1.1 200 OK\r\n"
                                 "content-type: text/plain; charset=utf-8\r\n"
                                 "content-length: 13\r\n"
                                 "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                 "\r\n"
                                 "Hello, World!";
    _Static_assert(sizeof ANSWER - 1 <= sizeof answers->bytes / FLOOR_COPIES, "the copies must fit");
    answers->length = sizeof ANSWER - 1;
    answers->total = answers->length * FLOOR_COPIES;
    for (size_t copy = 0; copy < FLOOR_COPIES; copy++) {
        memcpy(answers->bytes + copy * answers->length, ANSWER, answers->length);
    }
}

static uint16_t floor_port(int argc, char **argv)
{
    if (argc == 1) {
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "--port") == 0) {
        char *end = NULL;
        errno = 0;
        long port = strtol(argv[2], &end, 10);
        if (errno == 0 && end != argv[2] && *end == '\0' && port >= 0 && port <= 65535) {
            return (uint16_t)port;
        }
    }
    fprintf(stderr, "usage: %s [--port N], N from 0 to 65535\n", argv[0]);
    exit(2);
}

static void floor_descriptors_allow(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) {
        floor_fail("getrlimit");
    }
    if (limit.rlim_cur < FLOOR_MAX_DESCRIPTORS) {
        limit.rlim_cur = FLOOR_MAX_DESCRIPTORS;
        if (limit.rlim_max < limit.rlim_cur) {
            limit.rlim_max = limit.rlim_cur;
        }
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0) {
            floor_fail("setrlimit");
        }
    }
}

int floor_listen(int argc, char **argv, int type_flags)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(floor_port(argc, argv))};
    socklen_t length = sizeof address;
    int one = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    floor_descriptors_allow();
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | type_flags, 0);
    if (listener < 0) {
        floor_fail("socket");
    }
    if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0) {
        floor_fail("setsockopt SO_REUSEADDR");
    }
    if (bind(listener, (const struct sockaddr *)&address, sizeof address) < 0) {
        floor_fail("bind");
    }
    if (listen(listener, 4096) < 0) {
        floor_fail("listen");
    }
    if (getsockname(listener, (struct sockaddr *)&address, &length) < 0) {
        floor_fail("getsockname");
    }
    if (printf("listening on http://127.0.0.1:%u\n", (unsigned)ntohs(address.sin_port)) < 0 || fflush(stdout) != 0) {
        floor_fail("stdout");
    }
    return listener;
}

void floor_connection_prepare(int descriptor)
{
    int one = 1;
    if (setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) < 0 && errno != EINVAL) {
        floor_fail("setsockopt TCP_NODELAY");
    }
}
