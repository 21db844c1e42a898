#include "h2/peer.h"

/* Windows that grow with what comes in while a PING is on its way and back. */

static struct driver driver;
static struct peer peer;

static uint64_t uploaded, initial; /* octets; what the last SETTINGS say */

static void begin(void)
{
    driver_prepare(&driver);
    driver.slab_count = 32;
    driver.shared->listener.adaptive_window = 1;
    driver.shared->listener.stream_window = driver.shared->listener.connection_window = 1 << 24; // has no effect
    peer_start(&peer, &driver);
    peer_headers(&peer, 1, 0, PEER_POST);
    uploaded = 0;
    initial = 65535;
}

static void end(void)
{
    peer_forget(&peer);
    peer_end(&peer);
    driver_close(&driver);
}

static uint64_t connection_window(void)
{
    return 65535 + peer.credit - uploaded;
}

static uint64_t stream_window(void)
{
    return initial + peer_stream(&peer, 1)->credit - uploaded;
}

/* Uploads `length` octets, and answers the PING that came meanwhile. */
static void upload(size_t length)
{
    static const char said[] = "INITIAL_WINDOW_SIZE=";
    peer_data_filled(&peer, 1, 0, length);
    uploaded += length;
    peer_send(&peer);
    peer_frame(&peer, GN_H2_PING, GN_H2_ACK, 0, "window?", 8);
    peer_send(&peer);
    const char *grown = peer.text_length == 0 ? NULL : strstr(peer.text, said);
    if (grown != NULL) {
        initial = strtoul(grown + strlen(said), NULL, 10);
        peer_settings_ack(&peer);
        peer_send(&peer);
    }
}

TEST(windows_begin_with_the_defaults)
{
    begin();
    EXPECT(&peer, "");
    CHECK_EQ(peer.credit, 0);
    CHECK_EQ(peer_stream(&peer, 1)->credit, 0);
    end();
}

TEST(a_PING_is_out_while_data_comes_one_at_a_time)
{
    begin();
    peer_data_filled(&peer, 1, 0, 1000);
    EXPECT(&peer, "PING\n");
    peer_data_filled(&peer, 1, 0, 1000);
    EXPECT(&peer, "");
    peer_frame(&peer, GN_H2_PING, GN_H2_ACK, 0, "window?", 8);
    EXPECT(&peer, ""); // too little came to need more
    peer_data_filled(&peer, 1, GN_H2_END_STREAM, 1000);
    EXPECT(&peer, "PING\n");
    end();
}

TEST(windows_grow_to_twice_what_came_in_meanwhile)
{
    begin();
    upload(60000);
    CHECK_EQ(initial, 120000);
    CHECK(connection_window() > 60000 && connection_window() <= 120000);
    CHECK(stream_window() > 60000 && stream_window() <= 120000);
    peer_forget(&peer);
    // An answer that nobody asked for changes nothing.
    peer_frame(&peer, GN_H2_PING, GN_H2_ACK, 0, "window?", 8);
    EXPECT(&peer, "");
    end();
}

TEST(windows_have_a_limit)
{
    begin();
    for (unsigned i = 0; i < 12; i++) {
        uint64_t room = connection_window() < stream_window() ? connection_window() : stream_window();
        upload(room);
        peer_forget(&peer);
        CHECK(connection_window() <= 16 << 20 && stream_window() <= 16 << 20);
        driver_settle(&driver);
    }
    CHECK_EQ(initial, 16 << 20);
    CHECK_EQ(driver_exchange(&driver, 0)->body_length, uploaded);
    end();
}

TEST(what_came_before_the_PING_does_not_count)
{
    begin();
    for (unsigned i = 0; i < 60; i++)
        upload(1000);
    CHECK_EQ(initial, 65535);
    end();
}

TEST(a_window_at_its_limit_is_not_measured)
{
    begin();
    for (unsigned i = 0; i < 12; i++) {
        upload(connection_window() < stream_window() ? connection_window() : stream_window());
        peer_forget(&peer);
    }
    CHECK_EQ(initial, 16 << 20);
    peer_data_filled(&peer, 1, 0, 1000);
    peer_tell(&peer, "-\n");
    peer_send(&peer);
    CHECK(strstr(peer.text, "PING") == NULL);
    end();
}

TEST(larger_windows_that_nobody_acknowledges)
{
    begin();
    peer_data_filled(&peer, 1, 0, 60000);
    peer_send(&peer);
    peer_frame(&peer, GN_H2_PING, GN_H2_ACK, 0, "window?", 8);
    peer_send(&peer);
    CHECK(strstr(peer.text, "INITIAL_WINDOW_SIZE=120000") != NULL);
    for (unsigned i = 0; i < 32 && !peer.saw_end; i++) {
        driver_advance(&driver, SECOND);
        peer_send(&peer);
    }
    EXPECT_GOAWAY(&peer, 1, GN_H2_SETTINGS_TIMEOUT);
    end();
}

TEST(larger_windows_hold_before_they_are_acknowledged)
{
    begin();
    driver.hold_bodies = true; // so that no other window opens meanwhile
    peer_data_filled(&peer, 1, 0, 60000);
    peer_send(&peer);
    peer_frame(&peer, GN_H2_PING, GN_H2_ACK, 0, "window?", 8);
    peer_send(&peer);
    CHECK(strstr(peer.text, "INITIAL_WINDOW_SIZE=120000") != NULL);
    uploaded = 60000;
    initial = 120000;
    uint64_t room = connection_window() < stream_window() ? connection_window() : stream_window();
    CHECK(room > 65535);
    peer_data_filled(&peer, 1, 0, room); // the acknowledgement comes behind it
    peer_settings_ack(&peer);
    peer_send(&peer);
    CHECK(!peer_stream(&peer, 1)->reset && !peer.saw_end);
    end();
}

TEST_MAIN()
