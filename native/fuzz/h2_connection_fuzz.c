#include "h2_java.h"

#include "conn/connection.h"
#include "h2/session.h"

/*
 * Whole HTTP/2 connections over the network in memory. An input is a program: its first octets choose the settings, each
 * further one what is done next, with operands behind it. Clients open streams and send on several of them, cut anywhere;
 * they open, shrink and leave windows, reset, stop reading, and break every rule; Java answers by every command in every
 * order that it may; memory and system calls fail; time passes. In a hostile program Java writes what it never would.
 *
 * Each client keeps its own books (h2_client.h) and ends the process where a frame of the server is against them. Besides:
 * - wherever everything has settled and a client has read all, nothing waits that both windows let go, and requests are
 *   with Java as far as it takes them;
 * - an honest client sees no error, and a stream reset only for what it or Java did;
 * - what is complete on the wire is what Java said, and nothing that Java broke off looks complete;
 * - each octet of a connection's window is with the client, held for Java, or about to be given back;
 * - in the end nothing is left.
 */
#define CLIENTS 2U
#define STEPS_MAX 400U
#define ADAPTIVE_MAX (16U << 20)

static struct client clients[CLIENTS];
static bool connected[CLIENTS];
static bool unlistening, troubled, waited, frugal;
static unsigned slabs_lent;

static void lend_slab(void)
{
    if (driver.slabs_wanted > slabs_lent)
        driver_add_slab(&driver);
    slabs_lent = driver.slabs_wanted;
}

/* Memory that is short ends connections and streams of whomever. */
static void note_trouble(void)
{
    const struct gn_counters *counters = &driver.shared->counters;
    troubled |= counters->reasons[GN_REASON_OUT_OF_MEMORY] > 0 || counters->connections_evicted > 0;
}

/* Learns which streams the exchanges are. */
static void note_exchanges(void)
{
    for (; answer_count < driver.exchange_count; answer_count++) {
        struct driver_exchange *exchange = driver.exchanges[answer_count];
        HOLDS(answer_count < EXCHANGES_MAX);
        struct answer *answer = &answers[answer_count];
        *answer = (struct answer){.exchange = exchange, .client = CLIENTS};
        unsigned client, stream;
        if (sscanf(exchange->target, "/%u/%u", &client, &stream) != 2 &&
            sscanf(exchange->target, "%u.%u:1", &client, &stream) != 2)
            continue; // a text of a dishonest client
        if (client < CLIENTS && client_stream(&clients[client], stream) != NULL) {
            answer->client = client;
            answer->stream = stream;
        }
    }
}
static struct client_stream *stream_of(const struct answer *answer)
{
    return answer->client < CLIENTS ? client_stream(&clients[answer->client], answer->stream) : NULL;
}
/* ---- what must hold ---- */

/* Where each octet of the connection's window is, and how much it holds. */
static void check_session(const struct gn_connection *connection)
{
    const struct gn_h2_session *session = connection->h2;
    uint64_t held = 0, count = 0;
    for (uint32_t i = 0; i < session->streams.capacity; i++) {
        for (const struct gn_h2_stream *stream = session->streams.buckets[i]; stream != NULL; stream = stream->next) {
            held += stream->input.length;
            count++;
            bool waits = !gn_list_empty(&stream->turn.link);
            HOLDS(!waits || (stream->exchange->held.length > 0 && stream->send_window > 0));
            HOLDS(waits || stream->exchange->held.length == 0 || stream->send_window <= 0);
        }
    }
    HOLDS(count == session->streams.count && count + session->places <= driver.shared->listener.streams + 1);
    HOLDS(connection->exchange_count <= 2 * driver.shared->listener.streams + 1);
    HOLDS(session->receive_window >= 0 && session->send_window >= 0);
    HOLDS((uint64_t)session->receive_window + session->taken + session->data.left + held ==
          (uint64_t)session->connection_size);
    HOLDS(connection->output.length <= 2 * GN_H2_OUTPUT_MARK + 2 * SAID_MAX);
}

/* A client's connection, if it is known and open. */
static struct gn_connection *connection_of(unsigned client)
{
    uint64_t id = 0;
    for (size_t i = 0; i < answer_count && id == 0; i++)
        id = answers[i].client == client ? answers[i].exchange->connection : 0;
    struct gn_connection *connection = id == 0 ? NULL : gn_connection_find(&driver.loop->context, id);
    bool open = connection != NULL && connection->state == GN_CONNECTION_OPEN && connection->h2 != NULL;
    return open ? connection : NULL;
}

static void check_connections(void)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        const struct gn_connection *connection = connection_of(i);
        if (connection != NULL)
            check_session(connection);
    }
}

/* What a stream has read, against what Java said. */
static void check_answer(const struct client_stream *stream)
{
    if (stream->number == CLIENT_NUMBER_NONE)
        return;
    HOLDS(stream->number < EXCHANGES_MAX + KEPT);
    if (stream->number >= EXCHANGES_MAX) {
        HOLDS(!stream->got_end || stream->received == kept_lengths[stream->number - EXCHANGES_MAX]);
        return;
    }
    const struct answer *answer = &answers[stream->number];
    HOLDS((size_t)stream->number < answer_count && answer->begun && stream->status == answer->status);
    HOLDS(stream->received <= (answer->empty ? 0 : answer->said));
    HOLDS(!stream->got_trailers || answer->trailers);
    HOLDS(answer->client == CLIENTS || stream_of(answer) == stream);
    if (stream->got_end && !stream->head_request && !answer->empty) {
        HOLDS(answer->finished && !answer->broken && stream->received == answer->length);
        HOLDS(stream->got_trailers == answer->trailers);
    }
}

/* Why the server may reset a stream of an honest client. */
static bool is_excused(const struct client *client, const struct client_stream *stream, const struct answer *answer)
{
    if (troubled || waited || stream->reset || client->finished || client->gone || unlistening)
        return true;
    if (answer == NULL)
        return stream->code == GN_H2_REFUSED_STREAM || (stream->code == GN_H2_NO_ERROR && stream->got_end);
    if (stream->code == GN_H2_NO_ERROR)
        return stream->got_end; // the rest of the request is not wanted, and may be on its way
    if (stream->trailers && stream->code == GN_H2_INTERNAL_ERROR)
        return true; // the arena had no room for them
    return (answer->broken && answer->code == stream->code) ||
           (answer->tunnel && answer->exchange->released && stream->code == GN_H2_INTERNAL_ERROR);
}

static const struct answer *answer_for(unsigned client, const struct client_stream *stream)
{
    for (size_t i = 0; i < answer_count; i++)
        if (answers[i].client == client && answers[i].stream == stream->id)
            return &answers[i];
    return NULL;
}

static void check_client(unsigned number)
{
    struct client *client = &clients[number];
    note_exchanges();
    if (client->blind)
        return;
    for (uint32_t i = 0; i < client->stream_count; i++) {
        check_answer(&client->streams[i]);
        const struct client_stream *stream = &client->streams[i];
        if (!client->honest || !stream->got_reset || is_excused(client, stream, answer_for(number, stream)))
            continue;
        fprintf(stderr, "stream %u was reset with %s\n", stream->id, gn_h2_error_name(stream->code));
        HOLDS(false);
    }
    if (client->honest && client->goaway && !troubled && !waited && !frugal)
        HOLDS(client->goaway_code == GN_H2_NO_ERROR);
}

/* Java's credit where all that it said has left. */
static size_t whole_credit(const struct answer *answer)
{
    uint64_t credit = driver.shared->listener.stream_send_credit;
    if (answer->exchange->queued && credit > GN_QUEUED_SEND_CREDIT && answer->empty)
        return GN_QUEUED_SEND_CREDIT; // no octet of it left, so its client may not read
    return (size_t)(answer->exchange->queued && credit > GN_H2_LATER_CREDIT ? GN_H2_LATER_CREDIT : credit);
}

/* Everything has settled, and the client has read all of it: what can go has gone. */
static void check_progress(unsigned number)
{
    struct client *client = &clients[number];
    bool held = driver.hold_bodies;
    if (!client->honest || client->gone || client->finished || troubled)
        return;
    if (gn_io_memory_saw_end(client->peer) || gn_io_memory_saw_reset(client->peer)) {
        HOLDS(client->goaway || waited);
        return;
    }
    HOLDS(client->pending_count == 0 && client->pings == 0 && client->in_length == 0);
    for (uint32_t i = 0; i < client->stream_count; i++) {
        const struct client_stream *stream = &client->streams[i];
        const struct answer *answer = answer_for(number, stream);
        if (!client_is_open(stream) && !stream->got_end)
            continue;
        if (answer == NULL) { // C answered
            HOLDS(stream->got_end || waited);
            continue;
        }
        if (answer->exchange->resets > 0 || answer->broken)
            continue;
        size_t said = answer->empty ? 0 : answer->said;
        int64_t room = client_stream_room(client, stream);
        room = room < client_room(client) ? room : client_room(client);
        HOLDS(!answer->begun || stream->answered);
        HOLDS(stream->received == said || room <= 0);
        HOLDS(!answer->finished || stream->received < said || stream->got_end);
        HOLDS(answer->finished || answer->said == 0 || stream->received < said ||
              credit_of(answer->exchange, answer) == whole_credit(answer));
        bool kept = (stream->expecting && !answer->asked) || (stream->connect && !answer->tunnel) ||
                    driver.hold_bodies || answer->exchange->released;
        held |= kept; // what Java has not taken outlives its stream
        if (kept || !client_is_open(stream))
            continue;
        HOLDS(answer->exchange->body_length == stream->sent);
        HOLDS(answer->exchange->ended == stream->ended);
        for (size_t k = 0; k < stream->sent; k++)
            HOLDS(answer->exchange->body[k] == client_octet(stream->id, k));
        HOLDS(stream->ended || 2 * stream->window >= client->initial_window);
    }
    const struct gn_listener_settings *settings = &driver.shared->listener;
    uint64_t window = settings->adaptive_window ? GN_H2_WINDOW_DEFAULT : settings->connection_window;
    HOLDS(held || 2 * client->window >= (int64_t)window);
}

static void settle(void)
{
    for (bool moved = true; moved;) {
        moved = false;
        lend_slab();
        for (unsigned i = 0; i < CLIENTS; i++) {
            if (!connected[i] || clients[i].gone)
                continue;
            size_t queued = clients[i].out_length;
            client_flush(&clients[i], SIZE_MAX);
            moved |= clients[i].out_length < queued;
            gn_io_memory_room(clients[i].peer, 1U << 20);
        }
        driver_give_back_crossed(&driver);
        driver_settle(&driver);
        note_exchanges();
        for (unsigned i = 0; i < CLIENTS; i++) {
            if (!connected[i] || clients[i].gone)
                continue;
            moved |= gn_io_memory_sent(clients[i].peer, NULL) > 0 || driver.slabs_wanted > slabs_lent;
            client_read(&clients[i], SIZE_MAX);
            check_client(i);
            // Frames that nobody hears of may take many a turn.
            const struct gn_connection *connection = connection_of(i);
            moved |= connection != NULL && (connection->blocked & GN_BLOCKED_TURN) != 0;
        }
    }
    note_trouble();
    check_connections();
}

static void settle_and_check(void)
{
    uint32_t limit = driver.read_limit;
    driver.read_limit = 0;
    settle();
    driver.read_limit = limit;
    for (unsigned i = 0; i < CLIENTS; i++)
        if (connected[i])
            check_progress(i);
}

/* ---- clients ---- */

static void connect_client(unsigned number)
{
    struct gn_io_memory_peer *peer = gn_io_memory_connect(driver.io, driver.descriptor);
    if (peer == NULL)
        return; // the listener is gone
    connected[number] = true;
    const struct gn_listener_settings *settings = &driver.shared->listener;
    client_start(&clients[number], peer, settings->adaptive_window ? ADAPTIVE_MAX : settings->connection_window);
    struct client_values values = {one_in(2) ? size_below(200000) : GN_H2_WINDOW_DEFAULT, GN_H2_FRAME_SIZE_MIN, 4096};
    client_settings(&clients[number], values);
}

static struct client_stream *some_stream(struct client *client)
{
    unsigned back = below(8);
    if (client->stream_count == 0)
        return NULL;
    return &client->streams[back < client->stream_count ? client->stream_count - 1 - back : 0];
}

static struct client_block choose_block(void)
{
    return (struct client_block){
        .priority = one_in(8), .padding = one_in(4) ? (uint8_t)below(256) : 0, .pieces = one_in(4) ? 1 + below(5) : 1};
}

static void open_stream(unsigned number)
{
    static const char *const methods[] = {"GET", "POST", "POST", "HEAD", "CONNECT", "PUT"};
    static const char *const priorities[] = {NULL, NULL, "u=0", "u=7, i", "u=3, i", "u=1"};
    struct client *client = &clients[number];
    unsigned method = below(6);
    bool connect = method == 4;
    struct client_block how = choose_block();
    how.end = method == 0 || method == 3 || (!connect && one_in(4));
    struct client_request request = {
        .method = methods[method],
        .declared = !how.end && !connect && one_in(3) ? (int64_t)size_below(70000) : -1,
        .expect = !how.end && !connect && one_in(6),
        .extended = connect && driver.shared->listener.connect_protocol != 0 && one_in(2),
        .priority = priorities[below(6)],
        .fields = one_in(16) ? below(60) : 0,
    };
    if (client_open_streams(client) >= client->streams_most)
        return;
    client_request(client, number, one_in(16) ? below(4) : 0, request, how);
}

static void send_data(struct client *client)
{
    struct client_stream *stream = some_stream(client);
    size_t length = size_below(40000);
    uint8_t padding = one_in(6) ? (uint8_t)below(256) : 0;
    bool end = one_in(4);
    if (stream != NULL && client_is_open(stream) && !stream->ended)
        client_data(client, stream, length, padding, end);
}

static void end_stream(struct client *client)
{
    struct client_stream *stream = some_stream(client);
    bool trailers = one_in(2);
    if (stream == NULL || !client_is_open(stream) || stream->ended)
        return;
    bool complete = stream->declared < 0 || (int64_t)stream->sent == stream->declared;
    if (trailers && complete && !stream->connect)
        client_trailers(client, stream, choose_block());
    else
        client_data(client, stream, stream->declared < 0 ? 0 : SAID_MAX, 0, true);
}

static void change_settings(struct client *client)
{
    static const uint32_t tables[] = {4096, 0, 100, 65535};
    struct client_values values = {size_below(200000), GN_H2_FRAME_SIZE_MIN + below(4) * 5000, tables[below(4)]};
    client_settings(client, values);
}

static void send_control(struct client *client)
{
    uint8_t payload[16] = {0};
    struct client_stream *stream = some_stream(client);
    switch (below(5)) {
    case 0:
        client_ping(client);
        break;
    case 1:
        payload[15] = (uint8_t)below(16); // its length
        client_frame(client, 0xbe, below(256), stream == NULL ? 0 : stream->id, payload, payload[15]);
        break;
    case 2:
        if (stream != NULL)
            client_frame(client, GN_H2_PRIORITY, 0, stream->id, payload, 5);
        break;
    case 3:
        gn_h2_write_32(payload, stream == NULL ? 1 : stream->id + 2 * below(3));
        memcpy(payload + 4, "u=1, i", 6);
        payload[6] = (uint8_t)('0' + below(8));
        client_frame(client, GN_H2_PRIORITY_UPDATE, 0, 0, payload, one_in(2) ? 7 : 10);
        break;
    default:
        client_frame(client, GN_H2_GOAWAY, 0, 0, payload, 8);
        client->goaway = true; // it opens no more streams itself
        client->goaway_last = GN_H2_STREAM_MAX;
        break;
    }
}

/* What no client may send, or not there. */
static void misbehave(struct client *client)
{
    static const unsigned types[] = {
        GN_H2_DATA, GN_H2_HEADERS, GN_H2_CONTINUATION,    GN_H2_RST_STREAM,   GN_H2_WINDOW_UPDATE, GN_H2_SETTINGS,
        GN_H2_PING, GN_H2_GOAWAY,  GN_H2_PRIORITY_UPDATE, GN_H2_PUSH_PROMISE, GN_H2_PRIORITY};
    static uint8_t payload[20000];
    struct client_stream *stream = some_stream(client);
    unsigned type = types[below(11)], flags = below(256);
    uint32_t id = stream == NULL ? below(8) : stream->id;
    size_t length = below(3) == 0 ? below(32) : size_below(sizeof(payload));
    if (one_in(4))
        id = below(100);
    memset(payload, 0x82, sizeof(payload));
    for (size_t i = 0; i < length && i < 64 && input.length > 0; i++)
        payload[i] = fuzz_octet(&input);
    client->honest = false;
    client->blind = true;
    if (one_in(8))
        client_raw(client, payload, length);
    else
        client_frame(client, type, flags, id, payload, length);
}

/* What breaks one rule, and leaves the books whole. */
static void break_rule(struct client *client)
{
    struct client_stream *stream = some_stream(client);
    unsigned what = below(5);
    size_t length;
    if (stream == NULL)
        return;
    client->honest = false;
    switch (what) {
    case 0: // DATA past the windows
        stream->window += 30000;
        client->window += 30000;
        client->window_most += 30000;
        client->stream_window_most += 30000;
        client_data(client, stream, 30000, 0, false);
        break;
    case 1: // on a stream that is over, maybe
    case 2: // past, or short of the declared length
        stream->declared = what == 2 ? -1 : stream->declared;
        length = below(100);
        client_data(client, stream, length, 0, one_in(2));
        break;
    case 3:
        client_trailers(client, stream, choose_block());
        break;
    default:
        client_reset(client, stream, below(16));
        break;
    }
}

static void play_client(unsigned number, unsigned what)
{
    struct client *client = &clients[number];
    if (!connected[number]) {
        connect_client(number);
        return;
    }
    if (client->gone)
        return;
    struct client_stream *stream;
    bool all = true;
    switch (what) {
    case 0:
        open_stream(number);
        break;
    case 1:
        send_data(client);
        break;
    case 2:
        end_stream(client);
        break;
    case 3:
        stream = some_stream(client);
        if (stream != NULL)
            client_grant(client, stream, 1 + size_below(100000));
        break;
    case 4:
        client_grant(client, NULL, 1 + size_below(100000));
        break;
    case 5:
        change_settings(client);
        break;
    case 6:
        stream = some_stream(client);
        if (stream != NULL && client_is_open(stream))
            client_reset(client, stream, below(16));
        break;
    case 7:
        send_control(client);
        break;
    case 8:
        client_read(client, 1 + size_below(100000));
        all = false;
        break;
    case 9:
        gn_io_memory_room(client->peer, size_below(100000));
        all = false;
        break;
    case 10: // cut anywhere
        client_flush(client, 1 + below(64));
        return;
    case 11:
        if (one_in(2))
            break_rule(client);
        else
            misbehave(client);
        break;
    default:
        if (one_in(2)) {
            client_flush(client, SIZE_MAX);
            gn_io_memory_finish(client->peer);
            client->finished = true;
            client->out_length = 0;
        } else if (one_in(2)) {
            gn_io_memory_reset(client->peer);
            client->gone = true;
        }
        break;
    }
    if (all && !one_in(4))
        client_flush(client, SIZE_MAX);
    check_client(number);
}

/* ---- the program ---- */

static void choose_settings(void)
{
    static const uint32_t tables[] = {4096, 0, 100, 65535};
    struct gn_listener_settings *settings = &driver.shared->listener;
    driver.late = one_in(2);
    driver.hold_bodies = one_in(2);
    driver.read_limit = below(8);
    driver.slab_bytes = GN_ARENA_PAGE * (1 + below(8));
    driver.slab_count = 2;
    driver.faults.short_length = one_in(3) ? 1 + below(256) : 0;
    driver.shared->loop.turn_bytes = one_in(3) ? 1 + below(256) : 0;
    settings->fields = 10 + below(60);
    settings->connect = 1;
    settings->connect_protocol = one_in(2);
    settings->receive_credit = 200 + size_below(60000);
    settings->stream_send_credit = 200 + size_below(60000);
    settings->discard_bytes = size_below(60000);
    settings->streams = 1 + below(40);
    settings->stream_window = one_in(3) ? 1 + size_below(20000) : 1 + size_below(1U << 20);
    settings->connection_window = GN_H2_WINDOW_DEFAULT + (one_in(2) ? size_below(1U << 20) : 0);
    settings->adaptive_window = one_in(4);
    settings->frame_bytes = GN_H2_FRAME_SIZE_MIN + below(3) * 10000;
    settings->field_list_bytes = 500 + size_below(20000);
    settings->table_bytes = tables[below(4)];
    settings->half_close = 1 - one_in(4);
    settings->date = one_in(2);
    settings->ping_interval = one_in(4) ? 10 * SECOND : 0;
    frugal = one_in(8);
    settings->resets = settings->provoked_resets = settings->control_frames = frugal ? 1 + below(100) : 100000;
}

/* Failures of memory and of system calls; what they end is gone, what they leave must be whole. */
static void cause_trouble(void)
{
    static const enum gn_io_operation operations[] = {GN_IO_OP_ATTACH, GN_IO_OP_ACCEPT, GN_IO_OP_RECEIVE, GN_IO_OP_SEND,
                                                      GN_IO_OP_SHUT_DOWN};
    static const int errors[] = {ECONNRESET, ENOBUFS, ENOMEM, EPIPE, EINTR};
    struct gn_memory *memory = &driver.loop->context.memory;
    enum gn_io_operation operation;
    switch (below(4)) {
    case 0:
        waited = true;
        gn_io_memory_advance(driver.io, below(256) * SECOND / 4);
        break;
    case 1:
        troubled = true;
        memory->fail_from = memory->fail_from == 0 ? memory->count + 1 + below(8) : 0;
        break;
    case 2:
        troubled = true;
        operation = operations[below(5)];
        driver.faults.error[operation] = errors[below(5)];
        driver.faults.countdown[operation] = below(4);
        driver.faults.once[operation] = true;
        break;
    default:
        if (memory->fail_from == 0)
            lend_slab();
        break;
    }
}

static void end_from_java(void)
{
    if (one_in(8) && !unlistening) {
        driver_unlisten(&driver, one_in(2) ? GN_FLAG_ABORT : 0);
        unlistening = true;
        troubled = true;
        return;
    }
    if (driver.exchange_count == 0)
        return;
    bool abort = one_in(4);
    troubled |= abort;
    driver_command(&driver, (struct gn_command){.kind = GN_COMMAND_CLOSE,
                                                .flags = abort ? GN_FLAG_ABORT : 0,
                                                .subject = driver.exchanges[driver.exchange_count - 1]->connection});
}

static void poll_once(void)
{
    driver_give_back_crossed(&driver);
    driver_poll(&driver);
    note_exchanges();
    // Memory that is short ends connections and streams of whom it may be.
    troubled |=
        driver.shared->counters.reasons[GN_REASON_OUT_OF_MEMORY] > 0 || driver.shared->counters.connections_evicted > 0;
    check_connections();
}

static void run_program(void)
{
    for (unsigned step = 0; step < STEPS_MAX && input.length > 0 && driver.exchange_count < EXCHANGES_MAX / 3; step++) {
        unsigned what = below(32);
        unsigned number = what >= 13 && what < 20 ? below(CLIENTS) : 0;
        if (what < 20)
            play_client(number, what < 13 ? what : below(13));
        note_exchanges();
        if (what >= 20 && what < 27)
            play_handler();
        else if (what == 27)
            cause_trouble();
        else if (what == 28)
            keep(below(KEPT), true);
        else if (what == 29)
            end_from_java();
        else if (what == 30 && driver.loop->context.memory.fail_from == 0)
            settle_and_check();
        if (what == 31 || one_in(2))
            poll_once();
    }
}

/* What an honest client does in the end: it completes its requests and takes all responses. */
static void complete(struct client *client, bool give_up)
{
    if (client->window < 0 || client->blind)
        return;
    if (client_room(client) < (int64_t)(1U << 20))
        client_grant(client, NULL, 1U << 20);
    for (uint32_t i = 0; i < client->stream_count; i++) {
        struct client_stream *stream = &client->streams[i];
        if (!client_is_open(stream))
            continue;
        if (!stream->got_end && client_stream_room(client, stream) < (int64_t)(1U << 18))
            client_grant(client, stream, 1U << 18);
        if (!stream->ended)
            client_data(client, stream, stream->declared < 0 ? 0 : SAID_MAX, 0, true);
        if (give_up && !stream->ended) // it takes too long through a window of a few octets
            client_reset(client, stream, GN_H2_CANCEL);
    }
}

/* Everybody does what the others wait for. */
static void end_all(void)
{
    memset(driver.faults.error, 0, sizeof(driver.faults.error));
    driver.loop->context.memory.fail_from = 0;
    driver.read_limit = 0;
    driver.hold_bodies = false;
    for (unsigned round = 0; round < 40; round++) {
        for (unsigned i = 0; i < CLIENTS && round < 20; i++)
            if (connected[i] && !clients[i].gone && !clients[i].finished)
                complete(&clients[i], round == 19);
        note_exchanges();
        for (size_t i = 0; i < answer_count; i++) {
            struct driver_exchange *exchange = driver.exchanges[i];
            struct answer *answer = &answers[i];
            if (exchange->released)
                continue;
            bool over = answer->finished && (!answer->tunnel || exchange->ended) && exchange->ended;
            if (exchange->resets > 0 || over || answer->broken || round > 25)
                let_go(exchange, answer);
            else if (!answer->begun)
                begin_answer(exchange, answer);
            else if (!answer->finished)
                go_on(exchange, answer, SAID_MAX);
            else if (!answer->asked && exchange->block_count == 0)
                driver_ask(&driver, exchange, 1); // Java reads all of the request
        }
        settle_and_check();
        for (unsigned i = 0; i < CLIENTS && round > 28; i++) {
            if (connected[i] && !clients[i].gone)
                gn_io_memory_finish(clients[i].peer);
            clients[i].finished = true;
            clients[i].out_length = 0;
        }
        if (round > 30) {
            waited = true;
            driver_advance(&driver, 700 * SECOND);
        }
    }
    settle();
}

static void run(void)
{
    for (unsigned i = 0; i < KEPT; i++)
        keep(i, false);
    run_program();
    input.length = 0;
    end_all();
    HOLDS(driver.shared->counters.connections_open == 0);
    HOLDS(driver.shared->counters.tunnels_open == 0);
    driver_close(&driver);
}

static void run_hostile(void)
{
    static uint8_t sink[65536];
    struct hostile hostile = {.driver = &driver, .below = below};
    connect_client(0);
    struct client *client = &clients[0];
    for (unsigned step = 0; step < STEPS_MAX && input.length > 0 && connected[0]; step++) {
        unsigned what = below(8);
        client->streams_most = CLIENT_STREAMS; // it goes on without a look at what comes back
        if (what < 2)
            open_stream(0);
        else if (what == 2)
            send_data(client);
        else if (what == 3)
            client_grant(client, some_stream(client), 20000); // none: the connection
        else if (what == 4)
            end_stream(client);
        else if (what == 5 && one_in(4))
            gn_io_memory_advance(driver.io, below(256) * SECOND);
        client_flush(client, SIZE_MAX);
        hostile_poll(&hostile);
        while (gn_io_memory_read(client->peer, sink, sizeof(sink)) == sizeof(sink))
            ;
    }
    driver_abandon(&driver); // frees all that was lent, and asserts that nothing is missing
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (length < 2)
        return 0;
    input = (struct fuzz_input){bytes, length};
    answer_count = 0;
    memset(connected, 0, sizeof(connected));
    memset(kept_ids, 0, sizeof(kept_ids));
    unlistening = troubled = waited = false;
    slabs_lent = 0;
    driver_prepare(&driver);
    bool hostile = one_in(8);
    choose_settings();
    driver_open(&driver);
    if (hostile)
        run_hostile();
    else
        run();
    for (unsigned i = 0; i < CLIENTS; i++)
        if (connected[i])
            client_end(&clients[i]);
    HOLDS(test_failures == 0);
    return 0;
}
