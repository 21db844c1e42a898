#include "io/backend.h"

#include <stdio.h>
#include <string.h>

struct candidate {
    enum gn_io_backend backend;
    const struct gn_io_operations *operations;
};

static const struct candidate all[] = {
    {GN_IO_URING, &gn_io_uring},
    {GN_IO_EPOLL, &gn_io_epoll},
    {GN_IO_MEMORY, &gn_io_memory},
};

// The order of GN_IO_AUTO: the first so many of all.
#define AUTOMATIC 2u

static void add_failure(char *reason, const char *backend, const char *detail, int error)
{
    const char *name = strerrorname_np(error);
    size_t length = strlen(reason);
    snprintf(reason + length, GN_BACKEND_REASON_BYTES - length, "%s%s: %s: %s", length > 0 ? "; " : "", backend,
             detail != NULL ? detail : "open", name != NULL ? name : "unknown error");
}

int gn_backend_open(enum gn_io_backend wanted, struct gn_io **io, const struct gn_io_config *config,
                    const struct gn_io_handler *handler, void *owner, enum gn_io_backend *taken,
                    char reason[GN_BACKEND_REASON_BYTES])
{
    int result = -EINVAL;
    reason[0] = '\0';
    for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (wanted == GN_IO_AUTO ? i >= AUTOMATIC : wanted != all[i].backend)
            continue;
        const char *detail = NULL;
        result = all[i].operations->open(io, config, handler, owner, &detail);
        if (result == 0) {
            *taken = all[i].backend;
            if (reason[0] == '\0')
                snprintf(reason, GN_BACKEND_REASON_BYTES, "%s",
                         wanted == GN_IO_AUTO ? "the kernel allows it" : "asked for");
            return 0;
        }
        add_failure(reason, all[i].operations->name, detail, -result);
    }
    if (reason[0] == '\0')
        snprintf(reason, GN_BACKEND_REASON_BYTES, "no such backend: %d", (int)wanted);
    return result;
}
