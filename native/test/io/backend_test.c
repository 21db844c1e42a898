/* Which backend is taken, and why, under the seccomp filters that container runtimes put on io_uring. */
#include "io/backend.h"
#include "test.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_io_uring_setup
#define SYS_io_uring_setup 425
#define SYS_io_uring_enter 426
#define SYS_io_uring_register 427
#endif

struct result {
    int error;
    enum gn_io_backend taken;
    char reason[GN_BACKEND_REASON_BYTES];
    const char *name;
    size_t blocks;
};

static void nothing_accepted(void *owner, struct gn_io_socket *listener, int result)
{
    (void)owner, (void)listener, (void)result;
}

static void nothing_moved(void *owner, struct gn_io_socket *socket, ssize_t result)
{
    (void)owner, (void)socket, (void)result;
}

static void nothing_received(void *owner, struct gn_io_socket *socket, const uint8_t *bytes, ssize_t length)
{
    (void)owner, (void)socket, (void)bytes, (void)length;
}

static void nothing_closed(void *owner, struct gn_io_socket *socket)
{
    (void)owner, (void)socket;
}

static const struct gn_io_handler handler = {nothing_accepted, nothing_received, nothing_moved, nothing_closed};

// Opens, turns once, stops and frees.
static struct result use(enum gn_io_backend wanted, struct gn_io_faults *faults)
{
    struct result result = {.taken = (enum gn_io_backend) - 1, .name = ""};
    struct gn_memory memory = {0};
    int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    REQUIRE(wake >= 0);
    struct gn_io_config config = {.memory = &memory, .faults = faults, .wake_descriptor = wake};
    struct gn_io *io = NULL;
    result.error = gn_backend_open(wanted, &io, &config, &handler, NULL, &result.taken, result.reason);
    if (result.error == 0) {
        result.name = io->operations->name;
        CHECK_EQ(io->operations->turn(io, 0), 0);
        CHECK_EQ(io->operations->stop(io, UINT64_C(5000000000)), 0);
        io->operations->free(io);
    }
    result.blocks = memory.blocks;
    close(wake);
    return result;
}

// "backend: step: errno", whatever the step is called.
static bool is_failure(const struct result *result, const char *backend, const char *error)
{
    size_t length = strlen(result->reason), backend_length = strlen(backend), error_length = strlen(error);
    if (length > backend_length + error_length && strncmp(result->reason, backend, backend_length) == 0 &&
        strcmp(result->reason + length - error_length, error) == 0)
        return true;
    fprintf(stderr, "reason: %s\n", result->reason);
    return false;
}

static bool is_reason(const struct result *result, const char *reason)
{
    if (strcmp(result->reason, reason) == 0)
        return true;
    fprintf(stderr, "reason: %s\n", result->reason);
    return false;
}

// From here on the io_uring calls from `first` to io_uring_register do this; every other call stays as it is.
static void filter(unsigned first, unsigned action)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, first, 0, 2),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, SYS_io_uring_register, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof program / sizeof program[0], program};
    REQUIRE(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    REQUIRE(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
}

// Runs it in a process of its own, whose filters end with it; gives its wait status.
static int in_child(void (*run)(void))
{
    fflush(NULL);
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        test_failures = 0;
        run();
        fflush(NULL);
        _exit(test_failures != 0);
    }
    int status = -1;
    CHECK_EQ(waitpid(child, &status, 0), child);
    return status;
}

static bool passes(int status)
{
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void check_refused(int error, const char *name)
{
    struct result result = use(GN_IO_AUTO, NULL);
    CHECK_EQ(result.error, 0);
    CHECK_EQ(result.taken, GN_IO_EPOLL);
    CHECK(strcmp(result.name, "epoll") == 0);
    CHECK(is_failure(&result, "io_uring: ", name));
    CHECK_EQ(result.blocks, 0);

    result = use(GN_IO_URING, NULL);
    CHECK_EQ(result.error, error);
    CHECK_EQ(result.taken, (enum gn_io_backend) - 1);
    CHECK(is_failure(&result, "io_uring: ", name));
    CHECK_EQ(result.blocks, 0);
}

static void run_forbidden(void)
{
    filter(SYS_io_uring_setup, SECCOMP_RET_ERRNO | EPERM);
    check_refused(-EPERM, ": EPERM");
}

TEST(auto_takes_epoll_where_io_uring_is_forbidden)
{
    CHECK(passes(in_child(run_forbidden)));
}

static void run_unknown(void)
{
    filter(SYS_io_uring_setup, SECCOMP_RET_ERRNO | ENOSYS);
    check_refused(-ENOSYS, ": ENOSYS");
}

TEST(auto_takes_epoll_where_an_old_runtime_does_not_know_io_uring)
{
    CHECK(passes(in_child(run_unknown)));
}

static void run_half_forbidden(void)
{
    // A ring can be made, but nothing more: what follows must not be found out by the first request.
    filter(SYS_io_uring_enter, SECCOMP_RET_ERRNO | EPERM);
    struct result result = use(GN_IO_AUTO, NULL);
    CHECK_EQ(result.error, 0);
    CHECK_EQ(result.taken, GN_IO_EPOLL);
    CHECK(is_failure(&result, "io_uring: ", ": EPERM"));
}

TEST(auto_takes_epoll_where_a_ring_can_be_made_but_not_used)
{
    CHECK(passes(in_child(run_half_forbidden)));
}

static void run_epoll_alone(void)
{
    filter(SYS_io_uring_setup, SECCOMP_RET_KILL_PROCESS);
    struct result result = use(GN_IO_EPOLL, NULL);
    CHECK_EQ(result.error, 0);
    CHECK_EQ(result.taken, GN_IO_EPOLL);
    CHECK(is_reason(&result, "asked for"));
}

static void run_uring_to_be_killed(void)
{
    filter(SYS_io_uring_setup, SECCOMP_RET_KILL_PROCESS);
    use(GN_IO_AUTO, NULL);
}

TEST(epoll_makes_no_io_uring_call)
{
    CHECK(passes(in_child(run_epoll_alone)));
    // And the filter would have seen one.
    int status = in_child(run_uring_to_be_killed);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

TEST(auto_says_so_when_it_takes_io_uring)
{
    struct result named = use(GN_IO_URING, NULL), automatic = use(GN_IO_AUTO, NULL);
    CHECK_EQ(automatic.error, 0);
    if (named.error != 0) {
        CHECK_EQ(automatic.taken, GN_IO_EPOLL);
        printf("     (%s)\n", named.reason);
        return;
    }
    CHECK_EQ(named.taken, GN_IO_URING);
    CHECK(is_reason(&named, "asked for"));
    CHECK_EQ(automatic.taken, GN_IO_URING);
    CHECK(is_reason(&automatic, "the kernel allows it"));
}

TEST(everything_refused_gives_every_reason)
{
    struct gn_io_faults faults = {.error[GN_IO_OP_SETUP] = EMFILE};
    struct result result = use(GN_IO_AUTO, &faults);
    CHECK_EQ(result.error, -EMFILE);
    CHECK(is_failure(&result, "io_uring: ", "; epoll: epoll_create1: EMFILE"));
    result = use(GN_IO_EPOLL, &faults);
    CHECK_EQ(result.error, -EMFILE);
    CHECK(is_reason(&result, "epoll: epoll_create1: EMFILE"));
}

TEST(memory_is_taken_only_by_name_and_nonsense_not_at_all)
{
    struct result result = use(GN_IO_MEMORY, NULL);
    CHECK_EQ(result.error, 0);
    CHECK_EQ(result.taken, GN_IO_MEMORY);
    result = use((enum gn_io_backend)77, NULL);
    CHECK_EQ(result.error, -EINVAL);
    CHECK(is_reason(&result, "no such backend: 77"));
}

TEST_MAIN()
