#include "conn/admission.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>

#include "base/memory.h"

#define TABLE_MIN 64U
#define IPV4_PEER 0xffffffff00000000ULL

struct peer {
    uint64_t peer;
    uint64_t connections; /* 0: an unused entry */
};

struct gn_admission {
    atomic_uint_fast64_t open; /* every loop writes it for each connection: apart from what is only read */
    char apart[64];
    atomic_uint_fast64_t waiting;
    atomic_uint_fast64_t hungry;
    uint64_t limit;
    uint64_t waiting_limit;
    uint64_t per_address;
    uint64_t key[2];
    atomic_uint_fast64_t references;
    pthread_mutex_t lock; /* of the rest */
    struct gn_memory memory;
    struct peer *table; /* open addressing, linear probing; at most half full */
    size_t capacity;    /* a power of two, or 0 */
    size_t used;
};

static uint64_t default_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return 0;
    uint64_t most = limit.rlim_cur - limit.rlim_cur / 8;
    return most == 0 ? 1 : most;
}

static int make_key(struct gn_admission *admission)
{
    ssize_t length;
    do {
        length = getrandom(admission->key, sizeof(admission->key), 0);
    } while (length < 0 && errno == EINTR);
    return length == sizeof(admission->key) ? 0 : length < 0 ? -errno : -EIO;
}

int gn_admission_open(struct gn_admission **result, uint64_t connections, uint64_t per_address)
{
    struct gn_memory memory = {0};
    *result = NULL;
    struct gn_admission *admission = gn_memory_allocate(&memory, sizeof(*admission));
    if (admission == NULL)
        return -ENOMEM;
    int error = per_address == 0 ? 0 : make_key(admission);
    if (error == 0)
        error = -pthread_mutex_init(&admission->lock, NULL);
    if (error != 0) {
        gn_memory_free(&memory, admission, sizeof(*admission));
        return error;
    }
    admission->memory = memory;
    admission->limit = connections == GN_ADMISSION_DEFAULT ? default_limit() : connections;
    admission->waiting_limit = admission->limit / 32;
    if (connections != GN_ADMISSION_DEFAULT && admission->waiting_limit < GN_ADMISSION_WAITING)
        admission->waiting_limit = GN_ADMISSION_WAITING;
    admission->per_address = per_address;
    atomic_init(&admission->references, 1);
    *result = admission;
    return 0;
}

void gn_admission_hold(struct gn_admission *admission)
{
    atomic_fetch_add_explicit(&admission->references, 1, memory_order_relaxed);
}

void gn_admission_release(struct gn_admission *admission)
{
    if (atomic_fetch_sub_explicit(&admission->references, 1, memory_order_acq_rel) != 1)
        return;
    assert(admission->open == 0 && admission->waiting == 0 && admission->hungry == 0 && admission->used == 0);
    struct gn_memory memory = admission->memory;
    gn_memory_free(&memory, admission->table, admission->capacity * sizeof(*admission->table));
    (void)pthread_mutex_destroy(&admission->lock);
    gn_memory_free(&memory, admission, sizeof(*admission));
    assert(memory.blocks == 0 && memory.used == 0);
}

/* ---- places ---- */

// The counters order nothing else, so relaxed operations do.

static uint64_t read_count(const atomic_uint_fast64_t *count)
{
    return atomic_load_explicit(count, memory_order_relaxed);
}

/* How many places somebody may fill: those who have a connection leave one to each that has none. */
static uint64_t places_for(const struct gn_admission *admission, bool first)
{
    uint64_t hungry = first ? 0 : read_count(&admission->hungry);
    return admission->limit > hungry ? admission->limit - hungry : 0;
}

uint64_t gn_admission_limit(const struct gn_admission *admission)
{
    return admission->limit;
}

bool gn_admission_enter(struct gn_admission *admission, bool first)
{
    if (admission->limit == 0)
        return true;
    uint_fast64_t open = read_count(&admission->open);
    do {
        if (open >= places_for(admission, first))
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&admission->open, &open, open + 1, memory_order_relaxed,
                                                    memory_order_relaxed));
    return true;
}

void gn_admission_enter_anyway(struct gn_admission *admission)
{
    if (admission->limit != 0)
        atomic_fetch_add_explicit(&admission->open, 1, memory_order_relaxed);
}

void gn_admission_leave(struct gn_admission *admission)
{
    if (admission->limit != 0)
        atomic_fetch_sub_explicit(&admission->open, 1, memory_order_relaxed);
}

bool gn_admission_full(const struct gn_admission *admission, bool first)
{
    return admission->limit != 0 && read_count(&admission->open) >= places_for(admission, first);
}

bool gn_admission_wait(struct gn_admission *admission)
{
    uint_fast64_t waiting = read_count(&admission->waiting);
    do {
        if (waiting >= admission->waiting_limit)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&admission->waiting, &waiting, waiting + 1, memory_order_relaxed,
                                                    memory_order_relaxed));
    return true;
}

void gn_admission_stop_waiting(struct gn_admission *admission)
{
    atomic_fetch_sub_explicit(&admission->waiting, 1, memory_order_relaxed);
}

void gn_admission_hungry(struct gn_admission *admission, bool hungry)
{
    if (hungry)
        atomic_fetch_add_explicit(&admission->hungry, 1, memory_order_relaxed);
    else
        atomic_fetch_sub_explicit(&admission->hungry, 1, memory_order_relaxed);
}

/* ---- addresses ---- */

bool gn_admission_counts_peers(const struct gn_admission *admission)
{
    return admission->per_address != 0;
}

uint64_t gn_admission_peer(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)(const void *)address;
        return IPV4_PEER | ntohl(ipv4->sin_addr.s_addr);
    }
    if (address->ss_family != AF_INET6)
        return GN_ADMISSION_NOBODY;
    const struct in6_addr *ipv6 = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    uint32_t last;
    uint64_t first;
    memcpy(&last, ipv6->s6_addr + 12, sizeof(last));
    memcpy(&first, ipv6->s6_addr, sizeof(first));
    return IN6_IS_ADDR_V4MAPPED(ipv6) ? IPV4_PEER | ntohl(last) : __builtin_bswap64(first);
}

static uint64_t rotate(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static void mix(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

/* SipHash-1-3 (Aumasson and Bernstein) of a message of eight bytes. */
static size_t home_of(const struct gn_admission *admission, uint64_t peer)
{
    uint64_t v[4] = {admission->key[0] ^ 0x736f6d6570736575ULL, admission->key[1] ^ 0x646f72616e646f6dULL,
                     admission->key[0] ^ 0x6c7967656e657261ULL, admission->key[1] ^ 0x7465646279746573ULL};
    const uint64_t words[2] = {peer, 8ULL << 56};
    for (unsigned i = 0; i < 2; i++) {
        v[3] ^= words[i];
        mix(v);
        v[0] ^= words[i];
    }
    v[2] ^= 0xff;
    for (unsigned i = 0; i < 3; i++)
        mix(v);
    return (size_t)(v[0] ^ v[1] ^ v[2] ^ v[3]) & (admission->capacity - 1);
}

/* The peer's entry, or the unused one where it would stand. */
static struct peer *find_peer(const struct gn_admission *admission, uint64_t peer)
{
    size_t at = home_of(admission, peer);
    while (admission->table[at].connections != 0 && admission->table[at].peer != peer)
        at = (at + 1) & (admission->capacity - 1);
    return &admission->table[at];
}

/* False: no memory, and nothing changed. */
static bool resize(struct gn_admission *admission, size_t capacity)
{
    struct peer *table = gn_memory_allocate(&admission->memory, capacity * sizeof(*table));
    if (table == NULL)
        return false;
    struct peer *old = admission->table;
    size_t old_capacity = admission->capacity;
    admission->table = table;
    admission->capacity = capacity;
    for (size_t i = 0; i < old_capacity; i++) {
        if (old[i].connections != 0)
            *find_peer(admission, old[i].peer) = old[i];
    }
    gn_memory_free(&admission->memory, old, old_capacity * sizeof(*old));
    return true;
}

static int add_peer(struct gn_admission *admission, uint64_t peer)
{
    if (2 * (admission->used + 1) > admission->capacity &&
        !resize(admission, admission->capacity == 0 ? TABLE_MIN : 2 * admission->capacity))
        return -ENOMEM;
    struct peer *entry = find_peer(admission, peer);
    if (entry->connections >= admission->per_address)
        return -ECONNREFUSED;
    if (entry->connections == 0)
        admission->used++;
    entry->peer = peer;
    entry->connections++;
    return 0;
}

/* Entries behind an unused one move into it where a search for them would end there. */
static void close_gap(struct gn_admission *admission, size_t gap)
{
    size_t mask = admission->capacity - 1;
    for (size_t at = (gap + 1) & mask; admission->table[at].connections != 0; at = (at + 1) & mask) {
        size_t home = home_of(admission, admission->table[at].peer);
        if (((at - home) & mask) < ((at - gap) & mask))
            continue;
        admission->table[gap] = admission->table[at];
        admission->table[at].connections = 0;
        gap = at;
    }
}

static void remove_peer(struct gn_admission *admission, uint64_t peer)
{
    struct peer *entry = find_peer(admission, peer);
    assert(entry->connections > 0);
    if (--entry->connections > 0)
        return;
    admission->used--;
    close_gap(admission, (size_t)(entry - admission->table));
    if (admission->capacity > TABLE_MIN && 8 * admission->used < admission->capacity)
        (void)resize(admission, admission->capacity / 2); // without memory it stays as large as it is
}

static void lock(struct gn_admission *admission)
{
    int error = pthread_mutex_lock(&admission->lock);
    assert(error == 0); // a plain mutex that no thread takes twice
    (void)error;
}

static void unlock(struct gn_admission *admission)
{
    int error = pthread_mutex_unlock(&admission->lock);
    assert(error == 0);
    (void)error;
}

int gn_admission_add_peer(struct gn_admission *admission, uint64_t peer)
{
    if (peer == GN_ADMISSION_NOBODY)
        return 0;
    lock(admission);
    int error = add_peer(admission, peer);
    unlock(admission);
    return error;
}

void gn_admission_remove_peer(struct gn_admission *admission, uint64_t peer)
{
    if (peer == GN_ADMISSION_NOBODY)
        return;
    lock(admission);
    remove_peer(admission, peer);
    unlock(admission);
}

uint64_t gn_admission_peers(struct gn_admission *admission)
{
    lock(admission);
    uint64_t peers = admission->used;
    unlock(admission);
    return peers;
}

size_t gn_admission_memory(struct gn_admission *admission)
{
    lock(admission);
    size_t bytes = admission->memory.used;
    unlock(admission);
    return bytes;
}
