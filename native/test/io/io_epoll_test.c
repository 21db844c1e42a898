/* What only the epoll backend promises: which system calls it makes, how many, and how it takes their odd results. */
#include "io/io.h"
#include "io/listen.h"
#include "io/socket_calls.h"
#include "test.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

// A turn that waits though it should not never ends: the alarm ends the program.
#define LONG_WAIT GN_IO_WAIT_FOREVER
#define ALARM_SECONDS 30

/* ---- the system calls, counted; some of them with an odd result first ---- */

static struct calls {
    unsigned receives, sends, accepts, controls;
    int interrupted_receives, interrupted_sends, interrupted_accepts;
    bool empty_send;
} calls;

static bool interrupted(int *left)
{
    if (*left == 0)
        return false;
    --*left;
    errno = EINTR;
    return true;
}

ssize_t gn_socket_receive(int descriptor, void *bytes, size_t length)
{
    calls.receives++;
    return interrupted(&calls.interrupted_receives)
               ? -1
               : syscall(SYS_recvfrom, descriptor, bytes, length, MSG_DONTWAIT, NULL, NULL);
}

ssize_t gn_socket_send(int descriptor, const void *bytes, size_t length)
{
    calls.sends++;
    if (calls.empty_send)
        return 0;
    return interrupted(&calls.interrupted_sends)
               ? -1
               : syscall(SYS_sendto, descriptor, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0);
}

int accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags)
{
    calls.accepts++;
    return interrupted(&calls.interrupted_accepts) ? -1 : (int)syscall(SYS_accept4, descriptor, address, length, flags);
}

int epoll_ctl(int epoll, int operation, int descriptor, struct epoll_event *event)
{
    calls.controls++;
    return (int)syscall(SYS_epoll_ctl, epoll, operation, descriptor, event);
}

/* ---- an io with a few connections, each one end of a pair ---- */

#define ENDS 3

struct end {
    struct gn_io_socket socket;
    int far;
    size_t received;
    ssize_t result; // of the last receive
    unsigned receives, closes;
    unsigned sents;
    ssize_t sent;
};

struct world {
    struct gn_memory memory;
    struct gn_io_faults faults;
    struct gn_io *io;
    int wake;
    struct end ends[ENDS];
    struct gn_io_socket listener;
    unsigned accepted, failures;
};

static struct end *end_of(struct gn_io_socket *socket)
{
    return (struct end *)(void *)((char *)socket - offsetof(struct end, socket));
}

static void accepted(void *owner, struct gn_io_socket *listener, int result)
{
    struct world *world = owner;
    (void)listener;
    if (result >= 0) {
        world->accepted++;
        CHECK_EQ(close(result), 0);
    } else {
        world->failures++;
    }
}

static void received(void *owner, struct gn_io_socket *socket, const uint8_t *bytes, ssize_t length)
{
    (void)owner;
    (void)bytes;
    struct end *end = end_of(socket);
    end->result = length;
    end->receives++;
    if (length > 0)
        end->received += (size_t)length;
}

static void sent(void *owner, struct gn_io_socket *socket, ssize_t result)
{
    (void)owner;
    end_of(socket)->sents++;
    end_of(socket)->sent = result;
}

static void closed(void *owner, struct gn_io_socket *socket)
{
    (void)owner;
    if (!socket->listener)
        end_of(socket)->closes++;
}

static const struct gn_io_handler handler = {accepted, received, sent, closed};

static void turn(struct world *world, uint64_t wait)
{
    CHECK_EQ(gn_io_epoll.turn(world->io, wait), 0);
}

static void attach(struct world *world, unsigned index)
{
    int pair[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
    struct end *end = &world->ends[index];
    end->far = pair[1];
    REQUIRE(gn_io_epoll.attach(world->io, &end->socket, pair[0]) == 0);
    REQUIRE(gn_io_epoll.receive(world->io, &end->socket, true) == 0);
}

// With a receive buffer of 4096 bytes.
static void start(struct world *world)
{
    const char *detail = NULL;
    alarm(ALARM_SECONDS);
    *world = (struct world){.listener = {.descriptor = -1, .listener = true}};
    world->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    REQUIRE(world->wake >= 0);
    struct gn_io_config config = {
        .memory = &world->memory,
        .faults = &world->faults,
        .receive_buffer_bytes = 512,
        .wake_descriptor = world->wake,
    };
    REQUIRE(gn_io_epoll.open(&world->io, &config, &handler, world, &detail) == 0);
    for (unsigned i = 0; i < ENDS; i++)
        attach(world, i);
    turn(world, 0); // the first edge of each: writable
    calls = (struct calls){0};
}

static void end(struct world *world)
{
    CHECK_EQ(gn_io_epoll.stop(world->io, 0), 0);
    gn_io_epoll.free(world->io);
    for (unsigned i = 0; i < ENDS; i++)
        CHECK_EQ(close(world->ends[i].far), 0);
    CHECK_EQ(close(world->wake), 0);
    CHECK_EQ(world->memory.blocks, 0);
    alarm(0);
}

static ssize_t send_text(struct world *world, unsigned index, const char *text)
{
    struct iovec part = {(void *)(uintptr_t)text, strlen(text)};
    return gn_io_epoll.send(world->io, &world->ends[index].socket, &part, 1);
}

TEST(a_request_costs_one_receive_and_one_send)
{
    struct world world;
    char bytes[16];
    start(&world);
    for (unsigned i = 0; i < 100; i++) {
        CHECK_EQ(write(world.ends[0].far, "request", 7), 7);
        turn(&world, LONG_WAIT);
        CHECK_EQ(world.ends[0].receives, i + 1);
        CHECK_EQ(send_text(&world, 0, "response"), 8);
        CHECK_EQ(read(world.ends[0].far, bytes, sizeof bytes), 8);
        turn(&world, 0);
    }
    CHECK_EQ(calls.receives, 100);
    CHECK_EQ(calls.sends, 100);
    CHECK_EQ(calls.controls, 0);
    end(&world);
}

TEST(receiving_goes_off_and_on_without_a_system_call)
{
    struct world world;
    start(&world);
    struct gn_io_socket *socket = &world.ends[0].socket;
    CHECK_EQ(gn_io_epoll.receive(world.io, socket, false), 0);
    CHECK_EQ(write(world.ends[0].far, "while off", 9), 9);
    turn(&world, LONG_WAIT);
    turn(&world, 0);
    CHECK_EQ(calls.receives + calls.controls, 0);
    CHECK_EQ(gn_io_epoll.receive(world.io, socket, true), 0);
    // The edge is long gone: it was remembered, and this turn does not wait for another.
    turn(&world, LONG_WAIT);
    CHECK_EQ(world.ends[0].received, 9);
    CHECK_EQ(calls.receives, 1);
    CHECK_EQ(calls.controls, 0);
    end(&world);
}

TEST(a_socket_with_much_input_gets_one_receive_a_turn)
{
    struct world world;
    static char bytes[10000];
    start(&world);
    for (unsigned i = 0; i < 2; i++)
        CHECK_EQ(write(world.ends[i].far, bytes, sizeof bytes), sizeof bytes);
    CHECK_EQ(write(world.ends[2].far, bytes, 5), 5);
    turn(&world, LONG_WAIT);
    CHECK_EQ(calls.receives, 3);
    CHECK_EQ(world.ends[0].received, 4096);
    CHECK_EQ(world.ends[1].received, 4096);
    CHECK_EQ(world.ends[2].received, 5);
    // Those that filled the buffer go on without an event and without a wait.
    turn(&world, LONG_WAIT);
    turn(&world, LONG_WAIT);
    CHECK_EQ(world.ends[0].received, sizeof bytes);
    CHECK_EQ(world.ends[1].received, sizeof bytes);
    CHECK_EQ(calls.receives, 7);
    end(&world);
}

TEST(an_end_behind_the_bytes_is_found_without_another_event)
{
    struct world world;
    start(&world);
    CHECK_EQ(write(world.ends[0].far, "last", 4), 4);
    CHECK_EQ(shutdown(world.ends[0].far, SHUT_WR), 0);
    turn(&world, LONG_WAIT);
    CHECK_EQ(world.ends[0].received, 4);
    turn(&world, LONG_WAIT);
    CHECK_EQ(world.ends[0].result, 0);
    CHECK_EQ(world.ends[0].receives, 2);
    // Turned on again, it says so again.
    CHECK_EQ(gn_io_epoll.receive(world.io, &world.ends[0].socket, true), 0);
    turn(&world, LONG_WAIT);
    CHECK_EQ(world.ends[0].receives, 3);
    CHECK_EQ(world.ends[0].result, 0);
    end(&world);
}

TEST(interrupted_calls_are_made_again)
{
    struct world world;
    start(&world);
    calls.interrupted_receives = calls.interrupted_sends = 2;
    CHECK_EQ(write(world.ends[0].far, "abc", 3), 3);
    turn(&world, LONG_WAIT);
    CHECK_EQ(world.ends[0].result, 3);
    CHECK_EQ(calls.receives, 3);
    CHECK_EQ(send_text(&world, 0, "abc"), 3);
    CHECK_EQ(calls.sends, 3);
    end(&world);
}

// Behaviour D12.
TEST(D12_a_send_of_nothing_is_a_broken_pipe)
{
    struct world world;
    start(&world);
    calls.empty_send = true;
    CHECK_EQ(send_text(&world, 0, "abc"), -EPIPE);
    end(&world);
}

TEST(D10_a_send_that_must_wait_is_called_again_when_there_is_room)
{
    struct world world;
    static char bytes[1 << 20];
    start(&world);
    struct iovec part = {bytes, sizeof bytes};
    ssize_t result, total = 0;
    while ((result = gn_io_epoll.send(world.io, &world.ends[0].socket, &part, 1)) > 0)
        total += result;
    CHECK_EQ(result, -EINPROGRESS);
    turn(&world, 0);
    CHECK_EQ(world.ends[0].sents, 0);
    while (total > 0) {
        ssize_t taken = read(world.ends[0].far, bytes, sizeof bytes);
        REQUIRE(taken > 0);
        total -= taken;
    }
    turn(&world, LONG_WAIT);
    CHECK_EQ(world.ends[0].sents, 1);
    CHECK_EQ(world.ends[0].sent, -EAGAIN);
    CHECK(send_text(&world, 0, "abc") > 0);
    CHECK_EQ(calls.controls, 0);
    end(&world);
}

TEST(D10_an_ordered_lack_of_room_or_input_does_not_lose_the_edge)
{
    struct world world;
    start(&world);
    world.faults.error[GN_IO_OP_SEND] = EAGAIN;
    world.faults.once[GN_IO_OP_SEND] = true;
    CHECK_EQ(send_text(&world, 0, "abc"), -EINPROGRESS);
    turn(&world, LONG_WAIT);
    CHECK_EQ(world.ends[0].sent, -EAGAIN);
    world.faults.error[GN_IO_OP_RECEIVE] = EAGAIN;
    world.faults.once[GN_IO_OP_RECEIVE] = true;
    CHECK_EQ(write(world.ends[0].far, "abc", 3), 3);
    turn(&world, LONG_WAIT);
    CHECK_EQ(world.ends[0].receives, 0);
    turn(&world, LONG_WAIT);
    CHECK_EQ(world.ends[0].received, 3);
    end(&world);
}

TEST(closing_frees_the_descriptor_at_once_and_is_reported_by_a_turn_that_does_not_wait)
{
    struct world world;
    start(&world);
    struct gn_io_socket *socket = &world.ends[0].socket;
    int descriptor = socket->descriptor;
    uint32_t slot = socket->slot, generation = socket->generation;
    gn_io_epoll.close(world.io, socket, false);
    CHECK_EQ(fcntl(descriptor, F_GETFD), -1);
    CHECK_EQ(world.ends[0].closes, 0);
    turn(&world, LONG_WAIT);
    CHECK_EQ(world.ends[0].closes, 1);
    CHECK_EQ(calls.controls, 0);
    CHECK_EQ(close(world.ends[0].far), 0);
    attach(&world, 0);
    CHECK_EQ(socket->descriptor, descriptor);
    CHECK_EQ(socket->slot, slot);
    CHECK(socket->generation != generation);
    end(&world);
}

// A forked process may hold a copy, whose registration goes on reporting.
TEST(events_of_a_closed_socket_that_lives_on_in_a_copy_find_nobody)
{
    struct world world;
    start(&world);
    struct gn_io_socket *socket = &world.ends[0].socket;
    int copy = dup(socket->descriptor), far = world.ends[0].far;
    REQUIRE(copy >= 0);
    gn_io_epoll.close(world.io, socket, false);
    turn(&world, 0);
    attach(&world, 0);
    turn(&world, 0);
    CHECK_EQ(write(far, "stale", 5), 5);
    turn(&world, LONG_WAIT);
    turn(&world, 0);
    CHECK_EQ(world.ends[0].receives, 0);
    CHECK_EQ(calls.receives, 0);
    CHECK_EQ(close(copy), 0);
    CHECK_EQ(close(far), 0);
    end(&world);
}

TEST(a_turn_accepts_a_bounded_number_of_connections)
{
    enum { COUNT = 70 };
    struct world world;
    int clients[COUNT];
    start(&world);
    struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int descriptor = gn_listen_open((struct sockaddr *)&loopback, sizeof loopback, 128, false, false);
    struct sockaddr_storage address;
    REQUIRE(descriptor >= 0 && gn_listen_address(descriptor, &address) == 0);
    CHECK_EQ(gn_io_epoll.attach(world.io, &world.listener, descriptor), 0);
    for (int i = 0; i < COUNT; i++) {
        clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        REQUIRE(connect(clients[i], (struct sockaddr *)&address, sizeof(struct sockaddr_in)) == 0);
    }
    turn(&world, 0);
    CHECK_EQ(world.accepted, 0);
    CHECK_EQ(gn_io_epoll.accept(world.io, &world.listener, true), 0);
    CHECK_EQ(gn_io_epoll.accept(world.io, &world.listener, true), 0); // again: nothing
    CHECK_EQ(calls.controls, 1);
    calls.interrupted_accepts = 2;
    turn(&world, LONG_WAIT);
    CHECK_EQ(world.accepted, 64);
    CHECK_EQ(calls.accepts, 66);
    // A failure turns accepting off: the six that wait end no turn's wait.
    world.faults.error[GN_IO_OP_ACCEPT] = EMFILE;
    world.faults.once[GN_IO_OP_ACCEPT] = true;
    turn(&world, LONG_WAIT);
    CHECK_EQ(world.failures, 1);
    CHECK_EQ(calls.controls, 2);
    turn(&world, 1);
    CHECK_EQ(world.accepted, 64);
    CHECK_EQ(gn_io_epoll.accept(world.io, &world.listener, true), 0);
    turn(&world, LONG_WAIT);
    CHECK_EQ(world.accepted, COUNT);
    for (int i = 0; i < COUNT; i++)
        CHECK_EQ(close(clients[i]), 0);
    end(&world);
}

TEST(what_epoll_cannot_watch_is_not_attached)
{
    struct world world;
    start(&world);
    struct gn_io_socket socket = {.descriptor = -1};
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    REQUIRE(file >= 0);
    CHECK_EQ(gn_io_epoll.attach(world.io, &socket, file), -EPERM);
    CHECK_EQ(socket.descriptor, -1);
    CHECK_EQ(close(file), 0); // still ours
    socket.listener = true;
    CHECK_EQ(gn_io_epoll.attach(world.io, &socket, file), -EBADF);
    end(&world);
}

static void run_without_pwait2(void)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_epoll_pwait2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof program / sizeof program[0], program};
    REQUIRE(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    REQUIRE(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
    struct world world;
    start(&world);
    // A wait is never shorter than asked for, also when it is no whole number of milliseconds.
    uint64_t before = gn_io_epoll.now(world.io);
    turn(&world, 1500000);
    CHECK(gn_io_epoll.now(world.io) - before >= 1500000);
    CHECK_EQ(write(world.ends[0].far, "abc", 3), 3);
    turn(&world, GN_IO_WAIT_FOREVER - 1); // any length is legal
    CHECK_EQ(world.ends[0].received, 3);
    CHECK_EQ(eventfd_write(world.wake, 1), 0);
    CHECK_EQ(gn_io_epoll.turn(world.io, GN_IO_WAIT_FOREVER), 1);
    end(&world);
}

TEST(waits_also_where_the_kernel_has_no_epoll_pwait2)
{
    fflush(NULL);
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        test_failures = 0;
        run_without_pwait2();
        fflush(NULL);
        _exit(test_failures != 0);
    }
    int status = -1;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST(waits_as_long_as_told_and_any_length_is_legal)
{
    struct world world;
    start(&world);
    uint64_t before = gn_io_epoll.now(world.io);
    turn(&world, 1500000);
    CHECK(gn_io_epoll.now(world.io) - before >= 1500000);
    CHECK_EQ(eventfd_write(world.wake, 1), 0);
    CHECK_EQ(gn_io_epoll.turn(world.io, GN_IO_WAIT_FOREVER - 1), 1);
    CHECK_EQ(eventfd_write(world.wake, 1), 0);
    CHECK_EQ(gn_io_epoll.turn(world.io, GN_IO_WAIT_FOREVER), 1);
    CHECK_EQ(gn_io_epoll.turn(world.io, 0), 0);
    end(&world);
}

TEST(a_wake_descriptor_that_is_none_is_refused)
{
    struct gn_memory memory = {0};
    struct gn_io_config config = {.memory = &memory, .wake_descriptor = 1 << 20};
    struct gn_io *io = NULL;
    const char *detail = NULL;
    CHECK_EQ(gn_io_epoll.open(&io, &config, &handler, NULL, &detail), -EBADF);
    CHECK(detail != NULL && strstr(detail, "wake") != NULL);
    CHECK_EQ(memory.blocks, 0);
}

TEST_MAIN()
