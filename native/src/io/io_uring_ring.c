#include "io/io_uring_ring.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// What the backend is built on: Linux 6.1 has all of it.
#define SETUP_NEEDED                                                                                                   \
    (IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER |                 \
     IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG)
#define FEATURES_NEEDED                                                                                                \
    (IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_SUBMIT_STABLE | IORING_FEAT_FAST_POLL |                \
     IORING_FEAT_EXT_ARG)

#define NANOSECONDS 1000000000u

static const uint8_t operations_needed[] = {
    IORING_OP_POLL_ADD, IORING_OP_SENDMSG, IORING_OP_ACCEPT, IORING_OP_ASYNC_CANCEL,
    IORING_OP_CLOSE,    IORING_OP_SEND,    IORING_OP_RECV,   IORING_OP_SEND_ZC, // the last marks 6.0: multishot receive
};

// Names the step, and fails it when a test ordered that.
static int step(struct gn_io_faults *faults, const char **detail, const char *name)
{
    *detail = name;
    return -gn_io_fault(faults, GN_IO_OP_SETUP);
}

static int set_up(struct gn_uring *ring, struct io_uring_params *parameters, uint32_t submissions, uint32_t completions,
                  const char **detail)
{
    static const unsigned optional[] = {IORING_SETUP_NO_SQARRAY, 0};
    int result = -EINVAL;
    for (size_t i = 0; result == -EINVAL && i < sizeof optional / sizeof *optional; i++) {
        *parameters = (struct io_uring_params){
            .flags = SETUP_NEEDED | optional[i],
            .cq_entries = completions > submissions ? completions : submissions,
        };
        result = gn_uring_kernel_setup(submissions, parameters);
    }
    if (result >= 0) {
        ring->descriptor = result;
        return 0;
    }
    switch (-result) {
    case EINVAL:
        *detail = "io_uring lacks SINGLE_ISSUER and DEFER_TASKRUN (Linux 6.1)";
        return -ENOSYS;
    case ENOSYS:
        *detail = "this kernel has no io_uring, or seccomp hides it";
        return -ENOSYS;
    case EPERM:
    case EACCES:
        *detail = "io_uring_setup refused (seccomp or kernel.io_uring_disabled)";
        return -EPERM;
    case ENOMEM:
        *detail = "io_uring_setup: no memory (perhaps RLIMIT_MEMLOCK)";
        return result;
    default:
        *detail = "io_uring_setup failed";
        return result;
    }
}

static int map(struct gn_uring *ring, const struct io_uring_params *parameters)
{
    const struct io_sqring_offsets *submission = &parameters->sq_off;
    const struct io_cqring_offsets *completion = &parameters->cq_off;
    bool has_array = (parameters->flags & IORING_SETUP_NO_SQARRAY) == 0;
    size_t submission_end = submission->array + parameters->sq_entries * sizeof(uint32_t);
    size_t completion_end = completion->cqes + parameters->cq_entries * sizeof(struct io_uring_cqe);
    ring->rings_bytes = has_array && submission_end > completion_end ? submission_end : completion_end;
    char *rings = mmap(NULL, ring->rings_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->descriptor,
                       (off_t)IORING_OFF_SQ_RING);
    if (rings == MAP_FAILED)
        return -errno;
    ring->rings = rings;
    ring->submissions_bytes = parameters->sq_entries * sizeof(struct io_uring_sqe);
    void *submissions = mmap(NULL, ring->submissions_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
                             ring->descriptor, (off_t)IORING_OFF_SQES);
    if (submissions == MAP_FAILED)
        return -errno;
    ring->submissions = submissions;

    ring->kernel_submission_head = (uint32_t *)(void *)(rings + submission->head);
    ring->kernel_submission_tail = (uint32_t *)(void *)(rings + submission->tail);
    ring->kernel_flags = (uint32_t *)(void *)(rings + submission->flags);
    ring->submission_mask = parameters->sq_entries - 1;
    ring->submission_tail = *ring->kernel_submission_tail;
    if (has_array) {
        uint32_t *array = (uint32_t *)(void *)(rings + submission->array);
        for (uint32_t i = 0; i < parameters->sq_entries; i++)
            array[i] = i;
    }
    ring->kernel_completion_head = (uint32_t *)(void *)(rings + completion->head);
    ring->kernel_completion_tail = (uint32_t *)(void *)(rings + completion->tail);
    ring->completions = (struct io_uring_cqe *)(void *)(rings + completion->cqes);
    ring->completion_mask = parameters->cq_entries - 1;
    ring->completion_head = *ring->kernel_completion_head;
    return 0;
}

static int probe(const struct gn_uring *ring, const char **detail)
{
    union {
        struct io_uring_probe probe;
        uint8_t room[sizeof(struct io_uring_probe) + 256 * sizeof(struct io_uring_probe_op)];
    } answer;
    memset(&answer, 0, sizeof answer);
    int result = gn_uring_kernel_register(ring->descriptor, IORING_REGISTER_PROBE, &answer, 256);
    if (result < 0)
        return result;
    for (size_t i = 0; i < sizeof operations_needed; i++) {
        uint8_t operation = operations_needed[i];
        if (operation >= answer.probe.ops_len || (answer.probe.ops[operation].flags & IO_URING_OP_SUPPORTED) == 0) {
            *detail = "io_uring lacks an operation (Linux 6.1 has them all)";
            return -ENOSYS;
        }
    }
    return 0;
}

// Saves the kernel a look-up of the descriptor in each call. A thread may have 16 of them; one ring more does without.
static void register_descriptor(struct gn_uring *ring)
{
    struct io_uring_rsrc_update update = {.offset = UINT32_MAX, .data = (uint32_t)ring->descriptor};
    if (gn_uring_kernel_register(ring->descriptor, IORING_REGISTER_RING_FDS, &update, 1) != 1)
        return;
    ring->enter_descriptor = (int)update.offset;
    ring->enter_flags |= IORING_ENTER_REGISTERED_RING;
}

int gn_uring_open(struct gn_uring *ring, uint32_t submissions, uint32_t completions, struct gn_io_faults *faults,
                  const char **detail)
{
    *ring = (struct gn_uring){.descriptor = -1};
    struct io_uring_params parameters;
    int error = step(faults, detail, "io_uring_setup");
    if (error == 0)
        error = set_up(ring, &parameters, submissions, completions, detail);
    if (error < 0)
        return error;

    error = step(faults, detail, "io_uring features");
    if (error == 0 && (parameters.features & FEATURES_NEEDED) != FEATURES_NEEDED) {
        *detail = "io_uring lacks a feature (Linux 6.1 has them all)";
        error = -ENOSYS;
    }
    if (error == 0)
        error = step(faults, detail, "mapping the rings of io_uring");
    if (error == 0)
        error = map(ring, &parameters);
    if (error == 0)
        error = step(faults, detail, "io_uring_register refused the probe of its operations");
    if (error == 0)
        error = probe(ring, detail);
    if (error < 0) {
        gn_uring_close(ring);
        return error;
    }
    ring->enter_descriptor = ring->descriptor;
    if ((parameters.features & IORING_FEAT_NO_IOWAIT) != 0)
        ring->enter_flags |= IORING_ENTER_NO_IOWAIT;
    register_descriptor(ring);
    return 0;
}

void gn_uring_close(struct gn_uring *ring)
{
    if (ring->descriptor < 0)
        return;
    if ((ring->enter_flags & IORING_ENTER_REGISTERED_RING) != 0) {
        struct io_uring_rsrc_update update = {.offset = (uint32_t)ring->enter_descriptor};
        (void)gn_uring_kernel_register(ring->descriptor, IORING_UNREGISTER_RING_FDS, &update, 1);
    }
    if (ring->submissions != NULL)
        (void)munmap(ring->submissions, ring->submissions_bytes);
    if (ring->rings != NULL)
        (void)munmap(ring->rings, ring->rings_bytes);
    (void)close(ring->descriptor);
    *ring = (struct gn_uring){.descriptor = -1};
}

int gn_uring_tolerate(int result)
{
    switch (-result) {
    case EINTR:
    case ETIME:
    case EAGAIN:
    case EBUSY:
        return 0;
    default:
        return result < 0 ? result : 0;
    }
}

int gn_uring_submit(struct gn_uring *ring)
{
    uint32_t before = gn_uring_unsubmitted(ring);
    if (before == 0)
        return 0;
    __atomic_store_n(ring->kernel_submission_tail, ring->submission_tail, __ATOMIC_RELEASE);
    int result = gn_uring_kernel_enter(ring->enter_descriptor, before, 0, ring->enter_flags, NULL, 0);
    int error = gn_uring_tolerate(result);
    if (error < 0)
        return error;
    return gn_uring_unsubmitted(ring) < before ? 0 : -EAGAIN;
}

struct io_uring_sqe *gn_uring_next(struct gn_uring *ring)
{
    if (gn_uring_unsubmitted(ring) > ring->submission_mask && gn_uring_submit(ring) < 0)
        return NULL;
    struct io_uring_sqe *entry = &ring->submissions[ring->submission_tail & ring->submission_mask];
    ring->submission_tail++;
    memset(entry, 0, sizeof *entry);
    return entry;
}

int gn_uring_wait(struct gn_uring *ring, uint64_t nanoseconds)
{
    uint32_t submit = gn_uring_unsubmitted(ring);
    bool here = gn_uring_completed(ring) > 0;
    uint32_t flags = __atomic_load_n(ring->kernel_flags, __ATOMIC_RELAXED);
    if (submit == 0 && (here || (nanoseconds == 0 && (flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) == 0)))
        return 0;

    __atomic_store_n(ring->kernel_submission_tail, ring->submission_tail, __ATOMIC_RELEASE);
    unsigned complete = here || nanoseconds == 0 ? 0 : 1;
    struct __kernel_timespec time = {
        .tv_sec = (int64_t)(nanoseconds / NANOSECONDS),
        .tv_nsec = (int64_t)(nanoseconds % NANOSECONDS),
    };
    struct io_uring_getevents_arg argument = {
        .ts = complete > 0 && nanoseconds != GN_IO_WAIT_FOREVER ? (uint64_t)(uintptr_t)&time : 0,
    };
    return gn_uring_tolerate(gn_uring_kernel_enter(ring->enter_descriptor, submit, complete,
                                                   ring->enter_flags | IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG,
                                                   &argument, sizeof argument));
}
