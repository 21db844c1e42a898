#include "loop/hostile.h"
#include "random.h"

static struct driver driver;

TEST(no_command_does_harm)
{
    uint64_t rejected = 0, responses = 0;
    for (uint64_t run = 1; run <= 60; run++) {
        seed = run * 15485863;
        driver_prepare(&driver);
        driver.shared->loop.events_capacity = 64;
        driver.shared->listener.connect = 1;
        driver.shared->listener.send_credit = 1 + below(9000);
        driver.late = once_in(2);
        driver_open(&driver);
        struct hostile hostile = {.driver = &driver, .below = below};
        struct gn_io_memory_peer *peer = NULL;
        for (unsigned step = 0; step < 1500; step++) {
            if (peer == NULL || gn_io_memory_saw_end(peer) || once_in(100)) {
                if (peer != NULL)
                    gn_io_memory_peer_free(peer);
                peer = gn_io_memory_connect(driver.io, driver.descriptor);
            }
            if (peer == NULL)
                break; // the listener is gone
            const char *text = hostile_texts[below(HOSTILE_TEXTS)];
            if (once_in(2))
                gn_io_memory_write(peer, text, strlen(text));
            hostile_poll(&hostile);
        }
        rejected += driver.shared->counters.commands_rejected;
        responses += driver.shared->counters.responses;
        driver_abandon(&driver); // frees all that was lent, and asserts that nothing is missing
    }
    CHECK(rejected > 1000 && responses > 100);
}

TEST_MAIN()
