// The epoll floor: level-triggered, a connection is registered once, one recv and one send a request.
#define _GNU_SOURCE
#include "floor.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 512

struct connection {
    uint64_t owed;    // octets of answers not yet sent
    uint32_t matched; // see floor_count_ends
    bool blocked;     // waits for room to send, and is not read meanwhile
};

struct server {
    int epoll;
    int listener;
    uint32_t count;
    struct floor_answers answers;
    struct connection connections[FLOOR_MAX_DESCRIPTORS];
    uint8_t input[16384];
};

static void watch(const struct server *server, int operation, int descriptor, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = descriptor};
    if (epoll_ctl(server->epoll, operation, descriptor, &event) < 0) {
        floor_fail("epoll_ctl");
    }
}

static void connection_close(struct server *server, int descriptor)
{
    if (close(descriptor) < 0) {
        floor_fail("close");
    }
    server->count--;
}

static void accept_all(struct server *server)
{
    for (;;) {
        int descriptor = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor < 0) {
            if (errno == EAGAIN) {
                return;
            }
            if (errno == EINTR || errno == ECONNABORTED) {
                continue;
            }
            floor_fail("accept4");
        }
        server->count++;
        if (server->count > FLOOR_MAX_CONNECTIONS || (uint32_t)descriptor >= FLOOR_MAX_DESCRIPTORS) {
            connection_close(server, descriptor);
            continue;
        }
        floor_connection_prepare(descriptor);
        server->connections[descriptor] = (struct connection){0};
        watch(server, EPOLL_CTL_ADD, descriptor, EPOLLIN);
    }
}

static void connection_send(struct server *server, int descriptor)
{
    struct connection *connection = &server->connections[descriptor];
    while (connection->owed > 0) {
        size_t length;
        const uint8_t *bytes = floor_answers_next(&server->answers, connection->owed, &length);
        ssize_t sent = send(descriptor, bytes, length, MSG_NOSIGNAL);
        if (sent >= 0) {
            connection->owed -= (uint64_t)sent;
        } else if (errno == EAGAIN) {
            if (!connection->blocked) {
                connection->blocked = true;
                watch(server, EPOLL_CTL_MOD, descriptor, EPOLLOUT);
            }
            return;
        } else if (errno == EPIPE || errno == ECONNRESET) {
            connection_close(server, descriptor);
            return;
        } else if (errno != EINTR) {
            floor_fail("send");
        }
    }
    if (connection->blocked) {
        connection->blocked = false;
        watch(server, EPOLL_CTL_MOD, descriptor, EPOLLIN);
    }
}

static void connection_receive(struct server *server, int descriptor)
{
    struct connection *connection = &server->connections[descriptor];
    ssize_t received = recv(descriptor, server->input, sizeof server->input, 0);
    if (received > 0) {
        uint32_t ends = floor_count_ends(&connection->matched, server->input, (size_t)received);
        connection->owed += (uint64_t)ends * server->answers.length;
        connection_send(server, descriptor);
    } else if (received == 0 || errno == ECONNRESET || errno == ETIMEDOUT) {
        connection_close(server, descriptor);
    } else if (errno != EAGAIN && errno != EINTR) {
        floor_fail("recv");
    }
}

int main(int argc, char **argv)
{
    struct server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        floor_fail("calloc");
    }
    floor_answers_build(&server->answers);
    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (server->epoll < 0) {
        floor_fail("epoll_create1");
    }
    server->listener = floor_listen(argc, argv, SOCK_NONBLOCK);
    watch(server, EPOLL_CTL_ADD, server->listener, EPOLLIN);
    for (;;) {
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(server->epoll, events, EVENTS, -1);
        if (ready < 0 && errno != EINTR) {
            floor_fail("epoll_wait");
        }
        for (int at = 0; at < ready; at++) {
            int descriptor = events[at].data.fd;
            if (descriptor == server->listener) {
                accept_all(server);
            } else if (server->connections[descriptor].blocked) {
                connection_send(server, descriptor);
            } else {
                connection_receive(server, descriptor);
            }
        }
    }
}
