/* Sockets that somebody else connected, on the backends of the kernel. */
#include "io/listen.h"
#include "loop/driver.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

static struct driver driver;

/* Opens the loop on a backend, with a listener on a port of the loopback. False: the kernel does not have it here. */
static bool open_on(enum gn_io_backend backend)
{
    struct gn_loop_settings *settings = &driver.shared->loop;
    uint8_t *region = (uint8_t *)driver.shared;
    settings->backend = backend;
    settings->commands_offset = settings->events_offset + settings->events_capacity * sizeof(struct gn_event);
    settings->staging_offset = settings->commands_offset + settings->commands_capacity * sizeof(struct gn_command);
    driver.events = (struct gn_event *)(void *)(region + settings->events_offset);
    driver.commands = (struct gn_command *)(void *)(region + settings->commands_offset);
    driver.staging = region + settings->staging_offset;
    if (gn_loop_open(&driver.loop, driver.shared, &driver.faults) != 0) {
        CHECK(backend == GN_IO_URING); // containers often forbid it
        printf("     no io_uring: %s\n", driver.shared->text);
        free(driver.shared);
        return false;
    }
    driver.io = driver.loop->context.io;
    driver_add_slab(&driver);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    driver.descriptor = gn_listen_open((struct sockaddr *)&address, sizeof(address), 16, false, false);
    REQUIRE(driver.descriptor >= 0);
    driver.listener = gn_loop_listen(driver.loop, driver.descriptor);
    REQUIRE(driver.listener > 0);
    return true;
}

#define ON_EACH_BACKEND(name)                                                                                          \
    static void name(void);                                                                                            \
    TEST(name##_on_epoll)                                                                                              \
    {                                                                                                                  \
        driver_prepare(&driver);                                                                                       \
        if (open_on(GN_IO_EPOLL))                                                                                      \
            name();                                                                                                    \
    }                                                                                                                  \
    TEST(name##_on_io_uring)                                                                                           \
    {                                                                                                                  \
        driver_prepare(&driver);                                                                                       \
        if (open_on(GN_IO_URING))                                                                                      \
            name();                                                                                                    \
    }                                                                                                                  \
    static void name(void)

static int adopt(int descriptor)
{
    return gn_loop_adopt(driver.loop, (uint64_t)driver.listener, descriptor);
}

static void write_text(int descriptor, const char *text)
{
    CHECK_EQ(write(descriptor, text, strlen(text)), (ssize_t)strlen(text));
}

/* Polls until there are that many requests. */
static void wait_for_requests(size_t count)
{
    for (unsigned polls = 0; driver.exchange_count < count; polls++) {
        REQUIRE(polls < 1000);
        driver_poll_wait(&driver, SECOND / 100);
    }
}

/* Polls until the peer can read exactly `text`, and takes it. */
static void wait_for_text(int descriptor, const char *text)
{
    char bytes[1000];
    size_t length = 0;
    for (unsigned polls = 0; length < strlen(text); polls++) {
        REQUIRE(polls < 1000);
        driver_poll_wait(&driver, SECOND / 100);
        ssize_t result = recv(descriptor, bytes + length, sizeof(bytes) - length, MSG_DONTWAIT);
        length += result > 0 ? (size_t)result : 0;
    }
    CHECK_BYTES(bytes, length, text);
}

/* Polls until the peer reads the end. */
static void wait_for_end(int descriptor)
{
    char byte;
    ssize_t result = -1;
    for (unsigned polls = 0; result < 0; polls++) {
        REQUIRE(polls < 1000);
        driver_poll_wait(&driver, SECOND / 100);
        result = recv(descriptor, &byte, 1, MSG_DONTWAIT);
    }
    CHECK_EQ(result, 0);
}

ON_EACH_BACKEND(a_socket_pair_is_served)
{
    int pair[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    write_text(pair[0], GET); // before it is adopted
    CHECK_EQ(adopt(pair[1]), 0);
    CHECK(fcntl(pair[1], F_GETFL) & O_NONBLOCK);
    CHECK(fcntl(pair[1], F_GETFD) & FD_CLOEXEC);
    CHECK_EQ(driver.shared->counters.connections_open, 1);
    CHECK_EQ(driver.shared->counters.connections_accepted, 1);
    wait_for_requests(1);
    driver_answer(&driver, driver_exchange(&driver, 0), "a");
    wait_for_text(pair[0], OK(1) "a");
    write_text(pair[0], GET GET);
    wait_for_requests(3);
    driver_answer(&driver, driver_exchange(&driver, 1), "b");
    driver_respond(&driver, driver_exchange(&driver, 2), 200, GN_FLAG_END | GN_FLAG_CLOSE, -1, "c", 1);
    wait_for_text(pair[0], OK(1) "b" OK_CLOSE(1) "c");
    wait_for_end(pair[0]);
    close(pair[0]);
    for (unsigned polls = 0; driver.shared->counters.connections_open > 0; polls++) {
        REQUIRE(polls < 1000);
        driver_poll_wait(&driver, SECOND / 100);
    }
    driver_close(&driver);
}

ON_EACH_BACKEND(a_TCP_connection_is_served_and_loses_its_delay)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int listening = gn_listen_open((struct sockaddr *)&address, length, 4, false, false);
    REQUIRE(listening >= 0 && getsockname(listening, (struct sockaddr *)&address, &length) == 0);
    int far = socket(AF_INET, SOCK_STREAM, 0);
    REQUIRE(far >= 0 && connect(far, (struct sockaddr *)&address, length) == 0);
    int near = accept(listening, NULL, NULL);
    REQUIRE(near >= 0);
    CHECK_EQ(adopt(near), 0);
    int no_delay = 0;
    length = sizeof(no_delay);
    CHECK_EQ(getsockopt(near, IPPROTO_TCP, TCP_NODELAY, &no_delay, &length), 0);
    CHECK(no_delay != 0);
    write_text(far, GET);
    wait_for_requests(1);
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    wait_for_text(far, OK(1) "x");
    close(far);
    close(listening);
    driver_close(&driver);
}

ON_EACH_BACKEND(F1_a_tunnel_over_a_socket_pair)
{
    int pair[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    CHECK_EQ(adopt(pair[1]), 0);
    write_text(pair[0], "GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\nraw");
    wait_for_requests(1);
    struct driver_exchange *exchange = driver_exchange(&driver, 0);
    driver_open_tunnel(&driver, exchange, 101, "first");
    driver_data(&driver, exchange, GN_FLAG_END, "last", 4);
    wait_for_text(pair[0], "HTTP/1.1 101 Switching Protocols\r\nupgrade: echo\r\nconnection: upgrade\r\n\r\nfirstlast");
    wait_for_end(pair[0]); // its sending side only
    write_text(pair[0], " and more");
    shutdown(pair[0], SHUT_WR);
    for (unsigned polls = 0; !exchange->ended; polls++) {
        REQUIRE(polls < 1000);
        driver_poll_wait(&driver, SECOND / 100);
    }
    CHECK_BYTES(exchange->body, exchange->body_length, "raw and more");
    CHECK_EQ(exchange->resets, 0);
    close(pair[0]);
    driver_close(&driver);
}

/* Refused with `error`, and still the caller's. */
static void check_refused(int descriptor, int error)
{
    CHECK_EQ(adopt(descriptor), -error);
    CHECK_EQ(close(descriptor), 0);
    CHECK_EQ(driver.shared->counters.connections_open, 0);
}

ON_EACH_BACKEND(what_is_no_connected_stream_socket_is_refused)
{
    int pair[2];
    CHECK_EQ(adopt(-1), -EBADF);
    REQUIRE(pipe(pair) == 0);
    close(pair[0]);
    check_refused(pair[1], ENOTSOCK);
    REQUIRE(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
    close(pair[0]);
    check_refused(pair[1], EPROTOTYPE);
    REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
    close(pair[0]);
    check_refused(pair[1], EPROTOTYPE);
    check_refused(socket(AF_INET, SOCK_STREAM, 0), ENOTCONN);
    CHECK_EQ(adopt(driver.descriptor), -ENOTCONN); // it listens
    driver_close(&driver);
}

ON_EACH_BACKEND(a_listener_that_is_gone_or_stopped_refuses)
{
    int pair[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    CHECK_EQ(gn_loop_adopt(driver.loop, (uint64_t)driver.listener + 1, pair[1]), -ENOENT);
    CHECK_EQ(gn_loop_adopt(driver.loop, 0, pair[1]), -ENOENT);
    CHECK_EQ(gn_loop_adopt(driver.loop, UINT64_MAX, pair[1]), -ENOENT);
    CHECK_EQ(gn_loop_adopt(driver.loop, (uint64_t)driver.listener | GN_ID_ROLE_CLIENT, pair[1]), -ENOENT);
    CHECK(!(fcntl(pair[1], F_GETFL) & O_NONBLOCK)); // not touched
    int other[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, other) == 0);
    CHECK_EQ(adopt(other[1]), 0);
    write_text(other[0], GET);
    wait_for_requests(1);
    driver_unlisten(&driver, 0);
    driver_poll(&driver);
    CHECK_EQ(adopt(pair[1]), -ESHUTDOWN); // while its last connection is served
    CHECK_EQ(driver.shared->counters.connections_open, 1);
    close(pair[0]);
    CHECK_EQ(close(pair[1]), 0);
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    wait_for_text(other[0], OK_CLOSE(1) "x");
    close(other[0]);
    driver_close(&driver);
}

ON_EACH_BACKEND(without_memory_it_stays_the_callers)
{
    int pair[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    struct gn_memory *memory = &driver.loop->context.memory;
    int error = 0;
    for (unsigned at = 1; at < 20; at++) {
        memory->fail_from = memory->count + at;
        error = adopt(pair[1]);
        memory->fail_from = 0;
        if (error == 0)
            break;
        CHECK_EQ(error, -ENOMEM);
        CHECK_EQ(driver.shared->counters.connections_open, 0);
    }
    CHECK_EQ(error, 0);
    write_text(pair[0], GET);
    wait_for_requests(1);
    close(pair[0]);
    driver_close(&driver);
}

static struct gn_admission *limit_to(uint64_t connections, uint64_t per_address)
{
    struct gn_admission *admission;
    REQUIRE(gn_admission_open(&admission, connections, per_address) == 0);
    driver.shared->listener.admission = (uintptr_t)admission;
    return admission;
}

static void settle_until(const uint64_t *counter, uint64_t value)
{
    for (unsigned i = 0; i < 100000 && *counter != value; i++)
        driver_poll(&driver);
    CHECK_EQ(*counter, value);
}

TEST(past_the_limit_it_waits_for_its_place)
{
    driver_prepare(&driver);
    struct gn_admission *admission = limit_to(1, 0);
    REQUIRE(open_on(GN_IO_EPOLL));
    gn_admission_release(admission);
    int first[2], second[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, first) == 0);
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, second) == 0);
    CHECK_EQ(adopt(first[1]), 0);
    CHECK_EQ(adopt(second[1]), 0);
    CHECK_EQ(driver.shared->counters.connections_open, 1);
    write_text(second[0], GET);
    driver_settle(&driver);
    CHECK_EQ(driver.exchange_count, 0);
    close(first[0]);
    wait_for_requests(1);
    driver_answer(&driver, driver_exchange(&driver, 0), "x");
    wait_for_text(second[0], OK(1) "x");
    close(second[0]);
    driver_close(&driver);
}

/* A connection to the listener. */
static int connect_to(int descriptor)
{
    struct sockaddr_in address;
    socklen_t length = sizeof(address);
    REQUIRE(getsockname(descriptor, (struct sockaddr *)&address, &length) == 0);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    REQUIRE(client >= 0 && connect(client, (struct sockaddr *)&address, sizeof(address)) == 0);
    return client;
}

TEST(without_memory_to_wait_it_stays_the_callers_and_nothing_waits)
{
    driver_prepare(&driver);
    struct gn_admission *admission = limit_to(1, 0);
    REQUIRE(open_on(GN_IO_EPOLL));
    int first[2], second[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, first) == 0);
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, second) == 0);
    CHECK_EQ(adopt(first[1]), 0);
    struct gn_memory *memory = &driver.loop->context.memory;
    memory->fail_from = memory->count + 1;
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ(adopt(second[1]), -ECONNREFUSED);
    memory->fail_from = 0;
    for (unsigned i = 0; i < GN_ADMISSION_WAITING; i++)
        CHECK(gn_admission_wait(admission));
    CHECK(!gn_admission_wait(admission));
    for (unsigned i = 0; i < GN_ADMISSION_WAITING; i++)
        gn_admission_stop_waiting(admission);
    close(first[0]);
    close(second[0]);
    close(second[1]);
    driver_close(&driver);
    gn_admission_release(admission);
}

/* A second listener of the server; its descriptor is not asked for. */
static uint64_t add_listener(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int descriptor = gn_listen_open((struct sockaddr *)&address, sizeof(address), 16, false, false);
    REQUIRE(descriptor >= 0);
    int64_t listener = gn_loop_listen(driver.loop, descriptor);
    REQUIRE(listener > 0);
    return (uint64_t)listener;
}

TEST(whoever_waits_longest_is_first_when_a_place_was_left_elsewhere)
{
    driver_prepare(&driver);
    struct gn_admission *admission = limit_to(1, 0);
    REQUIRE(open_on(GN_IO_EPOLL));
    gn_admission_release(admission);
    uint64_t second = add_listener();
    int here[2], earlier[2], later[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, here) == 0);
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, earlier) == 0);
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, later) == 0);
    CHECK_EQ(adopt(here[1]), 0);
    CHECK_EQ(gn_loop_adopt(driver.loop, second, earlier[1]), 0);
    close(here[0]);
    settle_until(&driver.shared->counters.connections_open, 0);
    CHECK_EQ(gn_loop_adopt(driver.loop, second, later[1]), 0);
    CHECK_EQ(driver.shared->counters.connections_open, 0);
    write_text(earlier[0], GET);
    wait_for_requests(1);
    close(earlier[0]);
    close(later[0]);
    driver_close(&driver);
}

TEST(past_the_limit_of_its_address_a_connection_is_reset)
{
    for (unsigned backend = GN_IO_URING; backend <= GN_IO_EPOLL; backend++) {
        driver_prepare(&driver);
        struct gn_admission *admission = limit_to(0, 2);
        if (!open_on((enum gn_io_backend)backend)) {
            gn_admission_release(admission);
            continue;
        }
        const struct gn_counters *counters = &driver.shared->counters;
        int clients[3], apart[2];
        for (unsigned i = 0; i < 3; i++)
            clients[i] = connect_to(driver.descriptor);
        settle_until(&counters->connections_refused, 1);
        settle_until(&counters->connections_open, 2);
        CHECK_EQ(driver.refused_reason, GN_REASON_ADDRESS_LIMIT);
        CHECK_EQ(counters->reasons[GN_REASON_ADDRESS_LIMIT], 1);
        char byte;
        CHECK(read(clients[2], &byte, 1) < 0 && errno == ECONNRESET);
        // Whoever has no address is not counted; a socket that is handed over is.
        REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, apart) == 0);
        CHECK_EQ(adopt(apart[1]), 0);
        int ear = gn_listen_open(
            (struct sockaddr *)&(struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
            sizeof(struct sockaddr_in), 16, false, false);
        REQUIRE(ear >= 0);
        int client = connect_to(ear), served = accept(ear, NULL, NULL);
        REQUIRE(served >= 0);
        CHECK_EQ(adopt(served), -ECONNREFUSED);
        // With one gone there is room for one.
        close(clients[0]);
        settle_until(&counters->connections_open, 2);
        CHECK_EQ(adopt(served), 0);
        settle_until(&counters->connections_open, 3);
        CHECK_EQ(gn_admission_peers(admission), 1);
        write_text(client, GET);
        wait_for_requests(1);
        close(client);
        close(ear);
        close(apart[0]);
        close(clients[1]);
        close(clients[2]);
        driver_close(&driver);
        CHECK_EQ(gn_admission_peers(admission), 0);
        gn_admission_release(admission);
    }
}

/* What waits counts for its address; what is refused, or cannot be opened, does not. */
TEST(an_address_counts_for_as_long_as_its_connections_wait_or_are_there)
{
    for (unsigned backend = GN_IO_URING; backend <= GN_IO_EPOLL; backend++) {
        driver_prepare(&driver);
        struct gn_admission *admission = limit_to(1, GN_ADMISSION_WAITING + 2);
        if (!open_on((enum gn_io_backend)backend)) {
            gn_admission_release(admission);
            continue;
        }
        const struct gn_counters *counters = &driver.shared->counters;
        struct gn_listener *listener = gn_list_owner(driver.loop->listener_list.next, struct gn_listener, listed);
        int clients[GN_ADMISSION_WAITING + 6], count = 0;
        driver.faults.error[GN_IO_OP_ATTACH] = ENOMEM;
        driver.faults.once[GN_IO_OP_ATTACH] = true;
        clients[count++] = connect_to(driver.descriptor);
        settle_until(&counters->accept_failures, 1);
        CHECK_EQ(gn_admission_peers(admission), 0);
        clients[count++] = connect_to(driver.descriptor);
        for (unsigned polls = 0; polls < 1000 && counters->connections_open < 1; polls++)
            driver_poll_wait(&driver, SECOND / 100);
        CHECK_EQ(counters->connections_open, 1);
        // As a backend does that cannot be stopped at once; three more than may wait.
        while (count < (int)GN_ADMISSION_WAITING + 5) {
            clients[count++] = connect_to(driver.descriptor);
            CHECK_EQ(driver.io->operations->drain(driver.io, &listener->socket, 0), 0);
        }
        settle_until(&counters->connections_refused, 3);
        CHECK_EQ(counters->reasons[GN_REASON_CONNECTION_LIMIT], 3);
        CHECK_EQ(counters->reasons[GN_REASON_ADDRESS_LIMIT], 0);
        int ear = gn_listen_open(
            (struct sockaddr *)&(struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
            sizeof(struct sockaddr_in), 16, false, false);
        REQUIRE(ear >= 0);
        clients[count++] = connect_to(ear);
        int served = accept(ear, NULL, NULL);
        CHECK_EQ(adopt(served), -ECONNREFUSED);
        CHECK_EQ(adopt(served), -ECONNREFUSED);
        CHECK_EQ(counters->reasons[GN_REASON_CONNECTION_LIMIT], 5);
        close(served);
        close(ear);
        // An abort: nothing that waits is opened any more.
        driver_unlisten(&driver, GN_FLAG_ABORT);
        driver_settle(&driver);
        CHECK_EQ(gn_admission_peers(admission), 0);
        while (count > 0)
            close(clients[--count]);
        driver_close(&driver);
        gn_admission_release(admission);
    }
}

TEST_MAIN()
