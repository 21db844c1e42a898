#include "conn/admission.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include "test.h"

static struct gn_admission *admission;

static void open_with(uint64_t connections, uint64_t per_address)
{
    REQUIRE(gn_admission_open(&admission, connections, per_address) == 0);
}

static uint64_t peer_of(const char *text)
{
    struct sockaddr_storage address = {0};
    struct sockaddr_in *ipv4 = (struct sockaddr_in *)(void *)&address;
    struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)(void *)&address;
    if (inet_pton(AF_INET, text, &ipv4->sin_addr) == 1) {
        address.ss_family = AF_INET;
    } else {
        REQUIRE(inet_pton(AF_INET6, text, &ipv6->sin6_addr) == 1);
        address.ss_family = AF_INET6;
    }
    return gn_admission_peer(&address);
}

TEST(there_are_exactly_as_many_places_as_the_limit_says)
{
    open_with(3, 0);
    for (unsigned i = 0; i < 3; i++) {
        CHECK(!gn_admission_full(admission, true));
        CHECK(gn_admission_enter(admission, true));
    }
    CHECK(gn_admission_full(admission, true));
    CHECK(!gn_admission_enter(admission, true));
    gn_admission_leave(admission);
    CHECK(gn_admission_enter(admission, false));
    CHECK(!gn_admission_enter(admission, false));
    gn_admission_enter_anyway(admission);
    gn_admission_leave(admission);
    CHECK(gn_admission_full(admission, true));
    for (unsigned i = 0; i < 3; i++)
        gn_admission_leave(admission);
    gn_admission_release(admission);
}

TEST(without_a_limit_there_is_always_a_place)
{
    open_with(0, 0);
    for (unsigned i = 0; i < 10000; i++)
        CHECK(gn_admission_enter(admission, false));
    CHECK(!gn_admission_full(admission, false));
    for (unsigned i = 0; i < 10000; i++)
        gn_admission_leave(admission);
    gn_admission_release(admission);
}

TEST(the_default_leaves_an_eighth_of_the_descriptors)
{
    struct rlimit before, now;
    REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
    now = before;
    now.rlim_cur = 800;
    REQUIRE(setrlimit(RLIMIT_NOFILE, &now) == 0);
    open_with(GN_ADMISSION_DEFAULT, 0);
    CHECK_EQ(gn_admission_limit(admission), 700);
    gn_admission_release(admission);
    REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
}

TEST(others_leave_a_place_to_a_hungry_listener)
{
    open_with(2, 0);
    CHECK(gn_admission_enter(admission, true));
    CHECK(gn_admission_enter(admission, false));
    gn_admission_hungry(admission, true);
    gn_admission_leave(admission);
    CHECK(gn_admission_full(admission, false) && !gn_admission_enter(admission, false));
    CHECK(!gn_admission_full(admission, true) && gn_admission_enter(admission, true));
    gn_admission_hungry(admission, false);
    gn_admission_leave(admission);
    CHECK(gn_admission_enter(admission, false));
    gn_admission_leave(admission);
    gn_admission_leave(admission);
    gn_admission_release(admission);
}

TEST(so_many_wait_for_a_place_and_no_more)
{
    open_with(10, 0);
    for (unsigned i = 0; i < GN_ADMISSION_WAITING; i++)
        CHECK(gn_admission_wait(admission));
    CHECK(!gn_admission_wait(admission));
    gn_admission_stop_waiting(admission);
    CHECK(gn_admission_wait(admission));
    for (unsigned i = 0; i < GN_ADMISSION_WAITING; i++)
        gn_admission_stop_waiting(admission);
    gn_admission_release(admission);
}

TEST(more_wait_where_the_limit_is_large)
{
    enum { WAITING = GN_ADMISSION_WAITING + 4 };
    open_with(32 * WAITING + 31, 0);
    for (unsigned i = 0; i < WAITING; i++)
        CHECK(gn_admission_wait(admission));
    CHECK(!gn_admission_wait(admission));
    for (unsigned i = 0; i < WAITING; i++)
        gn_admission_stop_waiting(admission);
    gn_admission_release(admission);
}

TEST(an_address_counts_by_itself_and_mapped_by_its_network_where_it_is_ipv6)
{
    CHECK(peer_of("192.0.2.1") != peer_of("192.0.2.2"));
    CHECK(peer_of("192.0.2.1") == peer_of("::ffff:192.0.2.1"));
    CHECK(peer_of("2001:db8::1") == peer_of("2001:db8::ffff:ffff:ffff:ffff"));
    CHECK(peer_of("2001:db8::1") != peer_of("2001:db8:0:1::1"));
    CHECK(peer_of("::1") != peer_of("::ffff:0.0.0.1"));
    CHECK(peer_of("::c000:201") != peer_of("192.0.2.1"));
    struct sockaddr_storage none = {.ss_family = AF_UNIX};
    CHECK(gn_admission_peer(&none) == GN_ADMISSION_NOBODY);
    CHECK(peer_of("2001:db8::1") != GN_ADMISSION_NOBODY);
}

TEST(an_address_has_as_many_connections_as_the_limit_says)
{
    open_with(0, 2);
    uint64_t one = peer_of("192.0.2.1"), other = peer_of("::1");
    CHECK(gn_admission_counts_peers(admission));
    CHECK_EQ(gn_admission_add_peer(admission, one), 0);
    CHECK_EQ(gn_admission_add_peer(admission, one), 0);
    CHECK_EQ(gn_admission_add_peer(admission, one), -ECONNREFUSED);
    CHECK_EQ(gn_admission_add_peer(admission, other), 0);
    gn_admission_remove_peer(admission, one);
    CHECK_EQ(gn_admission_add_peer(admission, one), 0);
    CHECK_EQ(gn_admission_add_peer(admission, one), -ECONNREFUSED);
    for (unsigned i = 0; i < 100; i++)
        CHECK_EQ(gn_admission_add_peer(admission, GN_ADMISSION_NOBODY), 0);
    CHECK_EQ(gn_admission_peers(admission), 2);
    gn_admission_remove_peer(admission, one);
    gn_admission_remove_peer(admission, one);
    gn_admission_remove_peer(admission, other);
    CHECK_EQ(gn_admission_peers(admission), 0);
    gn_admission_release(admission);
}

TEST(the_table_is_half_full_at_most)
{
    enum { ADDRESSES = 1000 };
    open_with(0, 1);
    size_t empty = gn_admission_memory(admission);
    for (uint64_t i = 1; i <= ADDRESSES; i++) {
        CHECK_EQ(gn_admission_add_peer(admission, i), 0);
        CHECK(gn_admission_memory(admission) - empty >= 2 * i * 16);
    }
    for (uint64_t i = 1; i <= ADDRESSES; i++)
        gn_admission_remove_peer(admission, i);
    gn_admission_release(admission);
}

/* Against a plain array, with addresses that come and go in a random order. */
TEST(counts_are_exact_while_the_table_grows_and_shrinks)
{
    enum { ADDRESSES = 5000, STEPS = 400000 };
    static uint8_t counts[ADDRESSES];
    open_with(0, 3);
    size_t empty = gn_admission_memory(admission), most = 0;
    uint64_t random = 1, there = 0;
    for (unsigned step = 0; step < STEPS; step++) {
        random = random * 6364136223846793005ULL + 1442695040888963407ULL;
        uint64_t peer = 0x20010db800000000ULL + (random >> 33) % ADDRESSES;
        uint8_t *count = &counts[peer % ADDRESSES];
        // First mostly more, then mostly fewer.
        bool add = ((random >> 20) & 7) < (step < STEPS / 2 ? 5U : 2U);
        if (add) {
            CHECK_EQ(gn_admission_add_peer(admission, peer), *count < 3 ? 0 : -ECONNREFUSED);
            there += *count == 0;
            *count = (uint8_t)(*count < 3 ? *count + 1 : 3);
        } else if (*count > 0) {
            gn_admission_remove_peer(admission, peer);
            *count = (uint8_t)(*count - 1);
            there -= *count == 0;
        }
        if (step % 1000 == 0) {
            CHECK_EQ(gn_admission_peers(admission), there);
            most = gn_admission_memory(admission) > most ? gn_admission_memory(admission) : most;
        }
    }
    CHECK(most >= empty + (size_t)ADDRESSES * 16);
    for (uint64_t i = 0; i < ADDRESSES; i++) {
        uint64_t peer = 0x20010db800000000ULL + i;
        for (uint8_t *count = &counts[peer % ADDRESSES]; *count > 0; (*count)--)
            gn_admission_remove_peer(admission, peer);
    }
    CHECK_EQ(gn_admission_peers(admission), 0);
    CHECK(gn_admission_memory(admission) < empty + 4096);
    gn_admission_release(admission);
}

/* ---- several loops ---- */

#define LIMIT 5
static atomic_int inside, inside_address, most_inside, most_address;
static atomic_uint entered;

static void note(atomic_int *count, atomic_int *most)
{
    int now = atomic_fetch_add(count, 1) + 1, before = atomic_load(most);
    while (now > before && !atomic_compare_exchange_weak(most, &before, now))
        continue;
}

static void *play_a_loop(void *argument)
{
    (void)argument;
    for (unsigned i = 0; i < 50000; i++) {
        if (gn_admission_enter(admission, i % 2 == 0)) {
            note(&inside, &most_inside);
            atomic_fetch_add(&entered, 1);
            if (gn_admission_add_peer(admission, i % 3) == 0) {
                if (i % 3 == 0) {
                    note(&inside_address, &most_address);
                    atomic_fetch_sub(&inside_address, 1);
                }
                gn_admission_remove_peer(admission, i % 3);
            }
            atomic_fetch_sub(&inside, 1);
            gn_admission_leave(admission);
        }
    }
    gn_admission_release(admission);
    return NULL;
}

TEST(both_limits_are_exact_across_threads)
{
    open_with(LIMIT, 2);
    pthread_t threads[8];
    for (unsigned i = 0; i < 8; i++) {
        gn_admission_hold(admission);
        REQUIRE(pthread_create(&threads[i], NULL, play_a_loop, NULL) == 0);
    }
    for (unsigned i = 0; i < 8; i++)
        REQUIRE(pthread_join(threads[i], NULL) == 0);
    CHECK(most_inside <= LIMIT && most_inside > 0);
    CHECK(most_address <= 2 && most_address > 0);
    CHECK(entered > 0);
    CHECK_EQ(gn_admission_peers(admission), 0);
    gn_admission_release(admission);
}

TEST_MAIN()
