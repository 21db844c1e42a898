#include "response_stream.h"

#define DRIVER_STAGING 65536U
#define DRIVER_COMMANDS 64U
#define DRIVER_EVENTS 64U
#define DRIVER_EVENTS_MAX 64U
#include "loop/hostile.h"

/*
 * Whole connections over the network in memory. An input is a program: its first octets choose the settings, each
 * further one what is done next, with operands behind it. Peers write, end, reset, read and stop reading; Java answers
 * by every command in every order that it may; memory and system calls fail; time passes. In a hostile program Java
 * writes what it never would; then only the core's own books are checked.
 *
 * At the end everybody does what the other side waits for, and then everything must be over: no connection is left, all
 * that was lent is back, and what each peer read is a row of well-framed responses, each of them what Java said, and
 * none of those that Java broke off looks complete.
 */

#define PEERS 4U
#define EXCHANGES_MAX 256U
#define STEPS_MAX 400U
#define KEPT 2U
#define SAID_MAX 20000U

struct answer {
    const struct driver_exchange *exchange;
    uint16_t status;
    bool begun, finished, broken, tunnel, sized, trailers, notify, asked;
    size_t length, said;
};

struct client {
    struct gn_io_memory_peer *peer;
    uint8_t *got;
    size_t got_length, got_room;
    bool gone;
};

static struct driver driver;
static struct fuzz_input input;
static struct answer answers[EXCHANGES_MAX];
static struct client clients[PEERS];
static uint64_t kept_ids[KEPT];
static bool unlistening;
static unsigned slabs_lent;
static const size_t kept_lengths[KEPT] = {5, 6000};

static uint32_t below(uint32_t limit)
{
    uint32_t value = fuzz_octet(&input);
    if (limit > 256)
        value |= (uint32_t)fuzz_octet(&input) << 8;
    if (limit > 65536)
        value |= (uint32_t)fuzz_octet(&input) << 16 | (uint32_t)fuzz_octet(&input) << 24;
    return value % limit;
}

/* Whatever is read past the input's end is 0, so what a 0 chooses must be harmless: nothing special happens. */
static bool one_in(uint32_t count)
{
    return below(count) == count - 1;
}

static uint8_t octet_of(size_t number, size_t at)
{
    return (uint8_t)('a' + (number * 7 + at + at / 26) % 26);
}

static void fill(uint8_t *to, size_t number, size_t from, size_t length)
{
    for (size_t i = 0; i < length; i++)
        to[i] = octet_of(number, from + i);
}

static bool is_filled(const uint8_t *bytes, size_t number, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] != octet_of(number, i))
            return false;
    }
    return true;
}

/* ---- Java ---- */

static size_t number_of(const struct answer *answer)
{
    return (size_t)(answer - answers);
}

static size_t credit_of(const struct driver_exchange *exchange, const struct answer *answer)
{
    uint64_t first = driver.shared->listener.send_credit;
    if (exchange->queued && first > GN_QUEUED_SEND_CREDIT)
        first = GN_QUEUED_SEND_CREDIT;
    HOLDS(exchange->credits <= answer->said + driver.shared->listener.send_credit - first);
    return answer->said > first + exchange->credits ? 0 : (size_t)(first + exchange->credits - answer->said);
}

static struct driver_staged staged_id(const struct answer *answer)
{
    struct driver_staged staged = {.length = 0};
    char id[32];
    sprintf(id, "%zu", number_of(answer));
    driver_field(&staged, 0, "x-id", id);
    return staged;
}

/* The last record of what it says, which may release as well. */
static void say_last(struct driver_exchange *exchange, struct answer *answer, struct gn_command command,
                     const struct driver_staged *staged, const void *body, size_t length)
{
    answer->finished = true;
    driver_say_last(&driver, exchange, !answer->notify && one_in(2), command, staged, body, length);
}

static void begin_tunnel(struct driver_exchange *exchange, struct answer *answer)
{
    struct driver_staged staged = staged_id(answer);
    answer->status = exchange->method == GN_METHOD_CONNECT ? 200 : 101;
    answer->begun = answer->tunnel = true;
    answer->length = below(6000);
    if (answer->status == 101)
        driver_field(&staged, GN_FIELD_UPGRADE, "", "echo");
    exchange->ended = false; // what the peer sends now is no body, and ends by its FIN
    driver_say(&driver, exchange,
               (struct gn_command){.kind = GN_COMMAND_RESPOND, .status = answer->status, .value = -1}, &staged, "");
}

static void begin_answer(struct driver_exchange *exchange, struct answer *answer)
{
    static const uint16_t statuses[] = {200, 404, 204, 205, 304, 500};
    static uint8_t bytes[SAID_MAX];
    bool connect = exchange->method == GN_METHOD_CONNECT;
    unsigned way = below(5);
    if (exchange->ended && way == 4 && (connect || (exchange->head_flags & GN_HEAD_UPGRADE))) {
        begin_tunnel(exchange, answer);
        return;
    }
    struct driver_staged staged = staged_id(answer);
    struct gn_command command = {.kind = GN_COMMAND_RESPOND, .value = -1};
    answer->begun = true;
    answer->status = connect ? 404 : statuses[below(6)];
    answer->length = below(6000);
    answer->notify = one_in(4);
    command.status = answer->status;
    command.flags = (uint8_t)((one_in(8) ? GN_FLAG_CLOSE : 0) | (answer->notify ? GN_FLAG_NOTIFY : 0));
    if (way == 3 && !connect && exchange->method != GN_METHOD_HEAD) {
        unsigned kept = below(KEPT);
        answer->status = 200;
        answer->length = answer->said = kept_lengths[kept];
        command = (struct gn_command){.kind = GN_COMMAND_PREPARED, .flags = command.flags, .block = kept_ids[kept]};
        say_last(exchange, answer, command, &staged, NULL, 0);
    } else if (way == 0) {
        fill(bytes, number_of(answer), 0, answer->length);
        command.flags |= GN_FLAG_END | (one_in(3) ? GN_FLAG_CHUNKED : 0);
        answer->said = answer->length;
        say_last(exchange, answer, command, &staged, bytes, answer->length);
    } else {
        answer->sized = way == 1;
        answer->trailers = !answer->sized && one_in(3);
        command.value = answer->sized ? (int64_t)answer->length : -1;
        driver_say(&driver, exchange, command, &staged, "");
    }
}

static void go_on(struct driver_exchange *exchange, struct answer *answer, size_t most)
{
    static uint8_t bytes[SAID_MAX];
    size_t span = answer->length - answer->said, credit = credit_of(exchange, answer);
    span = span < most ? span : most;
    span = span < credit ? span : credit;
    if (span > 0) {
        fill(bytes, number_of(answer), answer->said, span);
        answer->said += span;
        driver_data(&driver, exchange, 0, bytes, span);
    }
    if (answer->said < answer->length)
        return;
    struct driver_staged staged = {.length = 0};
    if (answer->trailers) {
        driver_field(&staged, 0, "x-end", "yes");
        say_last(exchange, answer, (struct gn_command){.kind = GN_COMMAND_TRAILERS}, &staged, NULL, 0);
    } else {
        say_last(exchange, answer, (struct gn_command){.kind = GN_COMMAND_DATA, .flags = GN_FLAG_END}, &staged, NULL,
                 0);
    }
}

static void let_go(struct driver_exchange *exchange, struct answer *answer)
{
    answer->broken |= !answer->finished;
    driver_release(&driver, exchange);
}

static struct answer *answer_to(size_t number)
{
    answers[number].exchange = driver_exchange(&driver, number);
    return &answers[number];
}

/* One thing that a handler may do. */
static void play_handler(void)
{
    size_t count = driver.exchange_count < EXCHANGES_MAX ? driver.exchange_count : EXCHANGES_MAX;
    if (count == 0)
        return;
    size_t back = below(8), number = back < count ? count - 1 - back : 0;
    struct driver_exchange *exchange = driver_exchange(&driver, number);
    struct answer *answer = answer_to(number);
    if (exchange->released)
        return;
    HOLDS(exchange->resets <= 1 && exchange->sents <= 1);
    if (exchange->resets > 0) {
        let_go(exchange, answer);
        return;
    }
    switch (below(8)) {
    case 0:
    case 1:
        if (!answer->begun)
            begin_answer(exchange, answer);
        else if (!answer->finished)
            go_on(exchange, answer, SAID_MAX);
        break;
    case 2:
        if (answer->begun && !answer->finished)
            go_on(exchange, answer, below(4000));
        break;
    case 3:
        if (exchange->block_count > 0)
            driver_credit(&driver, exchange);
        break;
    case 4:
        if (!answer->begun) {
            struct driver_staged staged = staged_id(answer);
            driver_interim(&driver, exchange, 103, &staged);
        }
        break;
    case 5:
        if (!answer->asked && !answer->begun)
            driver_ask(&driver, exchange, driver.shared->listener.receive_credit);
        answer->asked = true;
        break;
    case 6:
        if (!answer->finished) {
            answer->finished = answer->broken = true;
            driver_reset(&driver, exchange);
        }
        break;
    default:
        let_go(exchange, answer);
        break;
    }
}

static void keep(unsigned kept, bool again)
{
    static uint8_t body[SAID_MAX];
    struct driver_staged staged = {.length = 0};
    char id[32];
    if (again)
        driver_forget(&driver, kept_ids[kept]);
    sprintf(id, "%u", EXCHANGES_MAX + kept);
    driver_field(&staged, 0, "x-id", id);
    fill(body, EXCHANGES_MAX + kept, 0, kept_lengths[kept]);
    kept_ids[kept] = gn_id(kept * 20, gn_id_generation(kept_ids[kept]) + 1);
    driver_keep(&driver, kept_ids[kept], (struct gn_command){.value = (int64_t)kept_lengths[kept]}, &staged, body,
                kept_lengths[kept]);
}

/* ---- what a peer has read ---- */

static bool has_no_content(const struct response *response, bool head)
{
    return head || response->status == 204 || response->status == 205 || response->status == 304;
}

/* The body of a response behind its head, of which `there` bytes are there. The bytes that it took; SIZE_MAX: it is
   not complete, or the connection's end is its own. */
static size_t check_body(const struct client *client, const struct response *response, const uint8_t *bytes,
                         size_t there, size_t number, const struct answer *answer)
{
    if (has_no_content(response, answer != NULL && answer->exchange->method == GN_METHOD_HEAD)) {
        HOLDS(!response->chunked || response->status == 200 || response->status >= 400);
        return 0;
    }
    size_t whole = answer != NULL ? answer->length : kept_lengths[number - EXCHANGES_MAX], length = there, used;
    if (response->chunked) {
        uint8_t *body = malloc(there + 1);
        HOLDS(body != NULL);
        used = response_read_chunked(bytes, there, body, &length);
        HOLDS(length <= whole && is_filled(body, number, length));
        free(body);
        HOLDS(used == 0 || (length == whole && answer != NULL && answer->finished && !answer->broken));
        return used == 0 ? SIZE_MAX : used;
    }
    if (response->sized) {
        HOLDS(response->length == whole);
        length = there < whole ? there : whole;
        HOLDS(is_filled(bytes, number, length));
        return there < whole ? SIZE_MAX : whole;
    }
    HOLDS(answer != NULL && answer->exchange->version == 10 && there <= whole && is_filled(bytes, number, there));
    bool clean = !client->gone && gn_io_memory_saw_end(client->peer) && !gn_io_memory_saw_reset(client->peer);
    HOLDS(!clean || (there == whole && answer->finished && !answer->broken));
    return SIZE_MAX;
}

static void check_stream(const struct client *client)
{
    uint64_t connection = 0;
    int64_t last = -1;
    struct response response;
    for (size_t at = 0;
         at < client->got_length && response_read_head(&response, client->got + at, client->got_length - at);) {
        const uint8_t *behind = client->got + at + response.head_length;
        size_t there = client->got_length - at - response.head_length;
        at += response.head_length;
        if (response.status < 200 && response.status != 101) {
            HOLDS(!response.sized && !response.chunked && (response.status == 103 || response.id < 0));
            continue;
        }
        if (response.id < 0) { // what C says by itself ends the connection
            HOLDS(response.status >= 400 && response.sized && response.length == 0 && response.closes && there == 0);
            return;
        }
        struct answer *answer = NULL;
        if (response.id < EXCHANGES_MAX) {
            answer = &answers[response.id];
            HOLDS(answer->begun && answer->status == response.status && response.id > last);
            HOLDS(connection == 0 || connection == answer->exchange->connection);
            HOLDS(answer->exchange->version == 11 || !response.chunked);
            connection = answer->exchange->connection;
            last = response.id;
        }
        if (answer != NULL && answer->tunnel) {
            HOLDS(!response.sized && !response.chunked);
            HOLDS(there <= answer->said && is_filled(behind, (size_t)response.id, there));
            return;
        }
        size_t used = check_body(client, &response, behind, there, (size_t)response.id, answer);
        if (used == SIZE_MAX)
            return;
        at += used;
        HOLDS(!response.closes || at == client->got_length);
    }
}

/* ---- peers ---- */

static void read_some(struct client *client, size_t most)
{
    size_t there = gn_io_memory_sent(client->peer, NULL), take = there < most ? there : most;
    if (client->got_length + take > client->got_room) {
        client->got_room = (client->got_length + take) * 2;
        client->got = realloc(client->got, client->got_room);
        HOLDS(client->got != NULL);
    }
    if (take > 0)
        client->got_length += gn_io_memory_read(client->peer, client->got + client->got_length, take);
}

static const char *const texts[] = {
    GET,
    GET GET,
    POST(5) "hello",
    POST(3000),
    POST_CHUNKED "3\r\nabc\r\n",
    "0\r\n\r\n",
    "0\r\nx: y\r\n\r\n",
    "1000\r\n",
    "HEAD / HTTP/1.1\r\nhost: h\r\n\r\n",
    "GET / HTTP/1.0\r\n\r\n",
    "GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n",
    "GET / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n",
    "POST / HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: echo\r\ncontent-length: 2\r\n\r\nok",
    "CONNECT h:1 HTTP/1.1\r\nhost: h:1\r\n\r\n",
    "POST / HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n",
    "GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n",
    "GET / HTTP/1.1\r\nhost: h\r\ncontent-length: 0\r\nx: ",
    "hello, this is the body of a request, or the bytes of a tunnel, or what stands behind them",
};
#define TEXTS (sizeof(texts) / sizeof(*texts))

static void play_client(struct client *client, unsigned what)
{
    if (client->peer == NULL) {
        client->peer = gn_io_memory_connect(driver.io, driver.descriptor); // NULL: the listener is gone
        return;
    }
    switch (what) {
    case 0: {
        const char *text = texts[below(TEXTS)];
        gn_io_memory_write(client->peer, text, strlen(text));
        break;
    }
    case 1: {
        size_t span = below(64);
        span = span < input.length ? span : input.length;
        if (span > 0)
            gn_io_memory_write(client->peer, input.bytes, span);
        input.bytes += span;
        input.length -= span;
        break;
    }
    case 2: {
        static uint8_t bytes[4096];
        size_t span = 1 + below(sizeof(bytes));
        memset(bytes, 'x', span);
        gn_io_memory_write(client->peer, bytes, span);
        break;
    }
    case 3:
        read_some(client, 1 + below(9000));
        break;
    case 4:
        gn_io_memory_room(client->peer, below(9000));
        break;
    case 5:
        gn_io_memory_finish(client->peer);
        break;
    default:
        gn_io_memory_reset(client->peer);
        client->gone = true;
        break;
    }
}

/* ---- the program ---- */

static void choose_settings(void)
{
    struct gn_listener_settings *settings = &driver.shared->listener;
    driver.late = one_in(2);
    driver.hold_bodies = one_in(2);
    driver.read_limit = below(8);
    driver.slab_bytes = GN_ARENA_PAGE * (1 + below(4));
    driver.slab_count = 2;
    driver.faults.short_length = one_in(3) ? 1 + below(256) : 0;
    driver.shared->loop.turn_bytes = one_in(3) ? 1 + below(256) : 0;
    settings->head_bytes = 1024 + below(4096);
    settings->target_bytes = 1024;
    settings->fields = 1 + below(20);
    settings->empty_lines = below(4);
    settings->connect = 1 - below(2);
    settings->pipeline = 1 + below(6);
    settings->receive_credit = 200 + below(9000);
    settings->send_credit = 200 + below(9000);
    settings->discard_bytes = below(9000);
    settings->linger_bytes = below(9000);
    settings->safe_pipeline = below(2);
    settings->half_close = 1 - below(2);
    settings->keep_alive = 1 - one_in(8);
    settings->date = below(2);
}

/* Java lends a slab where one is wanted. */
static void lend_slab(void)
{
    if (driver.slabs_wanted > slabs_lent)
        driver_add_slab(&driver);
    slabs_lent = driver.slabs_wanted;
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
        gn_io_memory_advance(driver.io, below(256) * SECOND / 4);
        break;
    case 1:
        memory->fail_from = memory->fail_from == 0 ? memory->count + 1 + below(8) : 0;
        break;
    case 2:
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
        return;
    }
    if (driver.exchange_count > 0)
        driver_command(&driver,
                       (struct gn_command){.kind = GN_COMMAND_CLOSE,
                                           .flags = one_in(4) ? GN_FLAG_ABORT : 0,
                                           .subject = driver.exchanges[driver.exchange_count - 1]->connection});
}

static void run_program(void)
{
    for (unsigned step = 0; step < STEPS_MAX && input.length > 0 && driver.exchange_count < EXCHANGES_MAX / 2; step++) {
        unsigned what = below(16);
        if (what < 7)
            play_client(&clients[below(PEERS)], what);
        else if (what < 12)
            play_handler();
        else if (what == 12)
            cause_trouble();
        else if (what == 13)
            keep(below(KEPT), true);
        else if (what == 14)
            end_from_java();
        if (what == 15 || one_in(2)) {
            driver_give_back_crossed(&driver);
            driver_poll(&driver);
        }
    }
}

/* Everybody does what the others wait for. */
static void end_all(void)
{
    memset(driver.faults.error, 0, sizeof(driver.faults.error));
    driver.loop->context.memory.fail_from = 0;
    driver.read_limit = 0;
    driver.hold_bodies = false;
    for (unsigned round = 0; round < 45; round++) {
        lend_slab();
        for (unsigned i = 0; i < PEERS; i++) {
            if (clients[i].peer == NULL)
                continue;
            gn_io_memory_room(clients[i].peer, 1U << 20);
            read_some(&clients[i], SIZE_MAX);
            if (round > 4)
                gn_io_memory_finish(clients[i].peer);
        }
        for (size_t i = 0; i < driver.exchange_count; i++) {
            struct driver_exchange *exchange = driver.exchanges[i];
            if (exchange->released)
                continue;
            HOLDS(i < EXCHANGES_MAX);
            struct answer *answer = answer_to(i);
            if (exchange->resets > 0 || answer->finished || round > 30)
                let_go(exchange, answer);
            else if (!answer->begun)
                begin_answer(exchange, answer);
            else
                go_on(exchange, answer, SAID_MAX);
        }
        driver_give_back_crossed(&driver);
        driver_settle(&driver);
        if (round > 25)
            driver_advance(&driver, 700 * SECOND);
    }
    driver_give_back_crossed(&driver);
    driver_settle(&driver);
}

static void run(void)
{
    for (unsigned i = 0; i < KEPT; i++)
        keep(i, false);
    run_program();
    input.length = 0;
    end_all();
    for (unsigned i = 0; i < PEERS; i++) {
        if (clients[i].peer != NULL)
            check_stream(&clients[i]);
    }
    HOLDS(driver.shared->counters.connections_open == 0);
    HOLDS(driver.shared->counters.tunnels_open == 0);
    driver_close(&driver);
}

static void run_hostile(void)
{
    struct hostile hostile = {.driver = &driver, .below = below};
    struct gn_io_memory_peer *peer = NULL;
    for (unsigned step = 0; step < STEPS_MAX && input.length > 0; step++) {
        if (peer == NULL || gn_io_memory_saw_end(peer) || one_in(32)) {
            if (peer != NULL)
                gn_io_memory_peer_free(peer);
            peer = gn_io_memory_connect(driver.io, driver.descriptor);
        }
        if (peer == NULL)
            break; // the listener is gone
        unsigned what = below(4);
        const char *text = hostile_texts[below(HOSTILE_TEXTS)];
        if (what == 0)
            gn_io_memory_write(peer, text, strlen(text));
        else if (what == 1)
            gn_io_memory_advance(driver.io, below(256) * SECOND);
        hostile_poll(&hostile);
    }
    driver_abandon(&driver); // frees all that was lent, and asserts that nothing is missing
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (length < 2)
        return 0;
    input = (struct fuzz_input){bytes, length};
    memset(answers, 0, sizeof(answers));
    memset(clients, 0, sizeof(clients));
    memset(kept_ids, 0, sizeof(kept_ids));
    unlistening = false;
    slabs_lent = 0;
    driver_prepare(&driver);
    driver.shared->listener.http_2 = 0; // whose preface the fuzzer finds; it has a target of its own
    bool hostile = one_in(4);
    choose_settings();
    driver_open(&driver);
    if (hostile)
        run_hostile();
    else
        run();
    for (unsigned i = 0; i < PEERS; i++)
        free(clients[i].got);
    HOLDS(test_failures == 0);
    return 0;
}
