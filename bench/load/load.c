/*
 * A load generator for one core that spends as little as it can: wrk parses every answer and so stops growing before
 * the floor servers, and before any server that gets pipelined requests.
 *
 * usage: load --port N --connections N --seconds N --pipeline N
 *
 * Each connection sends a batch of `pipeline` requests, reads all answers, and sends the next batch. The length of an
 * answer is taken from the first one and must not change; each must start with `HTTP/1.1 200`. Prints its result in
 * wrk's words. Exits with 1 after a failed call, a wrong answer or a closed connection, with 2 after bad options.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 512
#define PIPELINE_MAX 64
#define INPUT 65536

static const char STATUS[] = "HTTP/1.1 200";
#define STATUS_LENGTH (sizeof STATUS - 1)

struct connection {
    int descriptor;
    size_t received; // octets of the batch's answers
};

struct load {
    uint16_t port;
    uint32_t connection_count;
    uint32_t seconds;
    uint32_t pipeline;
    int epoll;
    size_t answer_length;
    size_t request_length;
    size_t batch_length;
    uint64_t requests;
    struct connection *connections;
    char batch[PIPELINE_MAX * 128];
    char input[INPUT];
};

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static _Noreturn void wrong(const char *what)
{
    fprintf(stderr, "load: %s\n", what);
    exit(1);
}

static uint32_t option(int argc, char **argv, const char *name, uint32_t high)
{
    for (int at = 1; at + 1 < argc; at += 2) {
        if (strcmp(argv[at], name) == 0) {
            char *end = NULL;
            unsigned long value = strtoul(argv[at + 1], &end, 10);
            if (end != argv[at + 1] && *end == '\0' && value >= 1 && value <= high) {
                return (uint32_t)value;
            }
        }
    }
    fprintf(stderr, "load: %s N is needed, N from 1 to %u\n", name, high);
    exit(2);
}

static double seconds_now(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) < 0) {
        fail("clock_gettime");
    }
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int connect_to(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int one = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) {
        fail("socket");
    }
    if (connect(descriptor, (const struct sockaddr *)&address, sizeof address) < 0) {
        fail("connect");
    }
    if (setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) < 0) {
        fail("setsockopt TCP_NODELAY");
    }
    return descriptor;
}

static void requests_send(int descriptor, const char *bytes, size_t length)
{
    // Everything before was answered, so there is room: less than all is a failure, not a reason to wait.
    ssize_t sent = send(descriptor, bytes, length, MSG_NOSIGNAL);
    if (sent < 0) {
        fail("send");
    }
    if ((size_t)sent != length) {
        wrong("a batch of requests did not fit in the socket's buffer");
    }
}

/* Sends one request, blocking, and returns the length of its answer. */
static size_t answer_measure(struct load *load, int descriptor)
{
    size_t held = 0;
    size_t length = 0;
    requests_send(descriptor, load->batch, load->request_length);
    while (length == 0 || held < length) {
        ssize_t received = recv(descriptor, load->input + held, INPUT - 1 - held, 0);
        if (received < 0) {
            fail("recv");
        }
        if (received == 0) {
            wrong("the first answer is cut off or too long");
        }
        held += (size_t)received;
        load->input[held] = '\0';
        const char *end = strstr(load->input, "\r\n\r\n");
        if (end != NULL && length == 0) {
            const char *content = strcasestr(load->input, "\r\ncontent-length:");
            if (content == NULL || content > end) {
                wrong("the answer has no content-length");
            }
            length = (size_t)(end - load->input) + 4 + strtoul(content + 17, NULL, 10);
        }
    }
    if (held != length) {
        wrong("one request got more than one answer");
    }
    return length;
}

static void answers_check(const struct load *load, size_t already, size_t received)
{
    size_t into = already % load->answer_length;
    size_t at = into == 0 ? 0 : load->answer_length - into;
    for (; at + STATUS_LENGTH <= received; at += load->answer_length) {
        if (memcmp(load->input + at, STATUS, STATUS_LENGTH) != 0) {
            wrong("an answer is not 200, or its length changed");
        }
    }
}

static void connection_ready(struct load *load, struct connection *connection)
{
    ssize_t received = recv(connection->descriptor, load->input, INPUT, MSG_DONTWAIT);
    if (received < 0) {
        if (errno == EAGAIN || errno == EINTR) {
            return;
        }
        fail("recv");
    }
    if (received == 0) {
        wrong("the server closed a connection");
    }
    answers_check(load, connection->received, (size_t)received);
    load->requests +=
        (connection->received + (size_t)received) / load->answer_length - connection->received / load->answer_length;
    connection->received += (size_t)received;
    if (connection->received > load->pipeline * load->answer_length) {
        wrong("more answers than requests");
    }
    if (connection->received == load->pipeline * load->answer_length) {
        connection->received = 0;
        requests_send(connection->descriptor, load->batch, load->batch_length);
    }
}

static void connections_open(struct load *load)
{
    for (uint32_t index = 0; index < load->connection_count; index++) {
        struct connection *connection = &load->connections[index];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
        connection->descriptor = connect_to(load->port);
        if (index == 0) {
            load->answer_length = answer_measure(load, connection->descriptor);
        }
        if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, connection->descriptor, &event) < 0) {
            fail("epoll_ctl");
        }
    }
}

static void batch_build(struct load *load)
{
    for (uint32_t index = 0; index < load->pipeline; index++) {
        int length = snprintf(load->batch + load->batch_length, sizeof load->batch - load->batch_length,
                              "GET / HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n\r\n", (unsigned)load->port);
        load->request_length = (size_t)length;
        load->batch_length += (size_t)length;
    }
}

int main(int argc, char **argv)
{
    struct load *load = calloc(1, sizeof *load);
    if (load == NULL) {
        fail("calloc");
    }
    load->port = (uint16_t)option(argc, argv, "--port", UINT16_MAX);
    load->connection_count = option(argc, argv, "--connections", 10000);
    load->seconds = option(argc, argv, "--seconds", 120);
    load->pipeline = option(argc, argv, "--pipeline", PIPELINE_MAX);
    load->connections = calloc(load->connection_count, sizeof *load->connections);
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (load->connections == NULL || load->epoll < 0) {
        fail("start");
    }
    batch_build(load);
    connections_open(load);

    double start = seconds_now();
    double now = start;
    for (uint32_t index = 0; index < load->connection_count; index++) {
        requests_send(load->connections[index].descriptor, load->batch, load->batch_length);
    }
    while (now < start + load->seconds) {
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(load->epoll, events, EVENTS, 100);
        if (ready < 0 && errno != EINTR) {
            fail("epoll_wait");
        }
        for (int at = 0; at < ready; at++) {
            connection_ready(load, events[at].data.ptr);
        }
        now = seconds_now();
    }
    printf("  %llu requests in %.2fs, %.0f octets each\n", (unsigned long long)load->requests, now - start,
           (double)load->answer_length);
    printf("Requests/sec: %.2f\n", (double)load->requests / (now - start));
    free(load->connections);
    free(load);
    return fflush(stdout) == 0 ? 0 : 1;
}
