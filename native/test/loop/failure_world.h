/*
 * What failure_test.c plays in: scenarios of whole exchanges, a loop on one of the backends with what can be ordered to
 * fail, handlers that answer by path, and a client that judges what it gets as clients do.
 */
#ifndef GN_TEST_LOOP_FAILURE_WORLD_H
#define GN_TEST_LOOP_FAILURE_WORLD_H

#include "loop/driver.h"
#include "loop/failing_calls.h"

#include <netinet/in.h>

#include "io/listen.h"
#include "process.h"

#define PIECE 1000U
#define BIG 60000U
#define KEPT 20000U
#define ALPHABET "abcdefghijklmnopqrstuvwxyz"
#define MILLISECOND (1000ULL * 1000)
#define PLAY_SECONDS 60
#define CHANCES_MAX 3000U

/* ---- what is played ---- */

/* What a step waits for, beside a number of complete responses. */
#define AFTER_CONTINUE 100U
#define AFTER_SWITCH 101U

struct step {
    const char *text;
    unsigned after;
};

struct scenario {
    const char *name;
    const char *paths; /* of the responses, in order: their bodies follow from them */
    struct step steps[3];
    bool slow; /* the client takes its time */
};

#define TUNNEL "GET /t HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n"

static const struct scenario scenarios[] = {
    {"keep-alive", "hh", {{"GET /h HTTP/1.1\r\nhost: h\r\n\r\n", 0}, {"GET /h HTTP/1.1\r\nhost: h\r\n\r\n", 1}}, false},
    {"sized body",
     "e",
     {{"POST /e HTTP/1.1\r\nhost: h\r\ncontent-length: 26\r\n\r\nabcdefgh", 0}, {"ijklmnopqrstuvwxyz", 0}},
     false},
    {"chunked body",
     "e",
     {{"POST /e HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n8\r\nabcdefgh\r\n1", 0},
      {"2\r\nijklmnopqrstuvwxyz\r\n0\r\nt: ", 0},
      {"u\r\n\r\n", 0}},
     false},
    {"100-continue",
     "c",
     {{"POST /c HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 26\r\n\r\n", 0},
      {ALPHABET, AFTER_CONTINUE}},
     false},
    {"pipeline", "sh", {{"GET /s HTTP/1.1\r\nhost: h\r\n\r\nGET /h HTTP/1.1\r\nhost: h\r\n\r\n", 0}}, false},
    {"tunnel", "t", {{TUNNEL, 0}, {ALPHABET, AFTER_SWITCH}}, false},
    {"prepared", "kK", {{"GET /k HTTP/1.1\r\nhost: h\r\n\r\n", 0}, {"GET /K HTTP/1.1\r\nhost: h\r\n\r\n", 1}}, false},
    {"large", "b", {{"GET /b HTTP/1.1\r\nhost: h\r\n\r\n", 0}}, true},
    {"to the end", "s", {{"GET /s HTTP/1.0\r\n\r\n", 0}}, false},
    {"last", "h", {{"GET /h HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\nbehind", 0}}, false},
};

#define SCENARIOS (sizeof(scenarios) / sizeof(scenarios[0]))

static uint8_t content[BIG];

/* The body of the response to a path. */
static const uint8_t *body_of(char path, size_t *length)
{
    switch (path) {
    case 'h':
        *length = 5;
        return (const uint8_t *)"hello";
    case 'k':
        *length = 4;
        return (const uint8_t *)"kept";
    case 'K':
        *length = KEPT;
        return content;
    case 's':
        *length = 3 * PIECE;
        return content;
    case 'b':
        *length = BIG;
        return content;
    default:
        *length = sizeof(ALPHABET) - 1;
        return (const uint8_t *)ALPHABET;
    }
}

/* ---- the world ---- */

enum variant { MEMORY, LATE, EPOLL, URING, VARIANTS };

static const char *const variant_names[VARIANTS] = {"memory", "late memory", "epoll", "io_uring"};

struct kind {
    const char *name;
    unsigned variants;      /* a bit for each */
    enum failing_call call; /* CALL_NONE: an operation of the io */
    enum gn_io_operation operation;
    int error;      /* 0 with CALL_NONE: nothing fails */
    uint32_t piece; /* the most bytes received or sent at once; 0: no limit */
    bool harmless;  /* the client must not notice */
    bool lasting;   /* it goes on failing until everybody waits */
    bool fatal;     /* the loop may report it and is done then */
    bool few;       /* costs time: not for all scenarios */
    bool fresh;     /* needs a loop that has nothing in store yet */
};

static struct driver driver;
static enum variant variant;
static struct sockaddr_in address;
static unsigned watched; /* connections */
static uint64_t watched_last;
static const char *played; /* the scenario */
static const struct kind *ordered;
static bool calm; /* nothing is ordered now: the client after a failure */
static uint32_t chance;

static bool in_memory(void)
{
    return variant <= LATE;
}

/* The descriptor of a socket that listens, where clients find it. */
static int listening_descriptor(void)
{
    if (in_memory())
        return gn_io_memory_descriptor(driver.io);
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int descriptor = gn_listen_open((struct sockaddr *)&any, sizeof(any), 16, false, false);
    REQUIRE(descriptor >= 0);
    int small = 4096; // accepted sockets inherit it: the large response is larger than what the kernel takes
    REQUIRE(setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)) == 0);
    REQUIRE(gn_socket_prepare(descriptor) == 0);
    struct sockaddr_storage bound;
    REQUIRE(gn_listen_address(descriptor, &bound) == 0);
    memcpy(&address, &bound, sizeof(address));
    return descriptor;
}

static bool listen_anew(void)
{
    driver.descriptor = listening_descriptor();
    driver.listener = -1;
    failing_arm();
    driver.listener = gn_loop_listen(driver.loop, driver.descriptor);
    failing_disarm();
    return driver.listener > 0;
}

static void prepare_world(enum variant wanted)
{
    variant = wanted;
    watched = 0;
    watched_last = 0;
    driver_prepare(&driver);
    failing_order(CALL_NONE, 0, 0, false);
    driver.late = wanted == LATE;
    driver.slab_count = 1;
    struct gn_loop_settings *settings = &driver.shared->loop;
    settings->backend = in_memory() ? GN_IO_MEMORY : wanted == EPOLL ? GN_IO_EPOLL : GN_IO_URING;
    settings->commands_capacity = 64;
    settings->receive_buffers = 2; // so few that they run out
    settings->receive_buffer_bytes = 64;
    for (size_t i = 0; i < sizeof(content); i++)
        content[i] = (uint8_t)(i * 31 + (i >> 8) * 7);
}

/* False: this kernel has no io_uring. */
static bool open_world(void)
{
    int error = driver_open_loop(&driver);
    if (variant == URING && (error == -EPERM || error == -ENOSYS)) {
        free(driver.shared);
        return false;
    }
    REQUIRE(error == 0);
    for (unsigned i = 0; i < driver.slab_count; i++)
        driver_add_slab(&driver);
    if (in_memory())
        gn_io_memory_late(driver.io, driver.late);
    return true;
}

static void keep_responses(void)
{
    static const struct driver_staged none;
    driver_keep(&driver, gn_id(0, 1), (struct gn_command){.value = -1}, &none, "kept", 4);
    driver_keep(&driver, gn_id(1, 1), (struct gn_command){.value = -1}, &none, content, KEPT);
}

static void forget_responses(void)
{
    driver_forget(&driver, gn_id(0, 1));
    driver_forget(&driver, gn_id(1, 1));
}

/* ---- the handler ---- */

static void serve_tunnel(struct driver_exchange *exchange)
{
    if (exchange->mark == 0) {
        driver_open_tunnel(&driver, exchange, 101, "");
        exchange->mark = 1;
    }
    size_t echoed = exchange->mark - 1;
    if (exchange->body_length > echoed) {
        driver_data(&driver, exchange, 0, exchange->body + echoed, exchange->body_length - echoed);
        exchange->mark = exchange->body_length + 1;
    }
    if (exchange->ended) {
        driver_data(&driver, exchange, GN_FLAG_END, "", 0);
        driver_release(&driver, exchange);
    }
}

static void serve_stream(struct driver_exchange *exchange)
{
    if (exchange->mark == 0)
        driver_respond(&driver, exchange, 200, GN_FLAG_NOTIFY, -1, content, PIECE);
    else if (exchange->mark < 3)
        driver_data(&driver, exchange, 0, content + exchange->mark * PIECE, PIECE);
    if (exchange->mark++ < 3)
        return;
    struct driver_staged fields = {.length = 0};
    driver_field(&fields, GN_FIELD_LINK, "", "<a>");
    driver_trailers(&driver, exchange, &fields);
    driver_release(&driver, exchange);
}

static void serve(struct driver_exchange *exchange)
{
    char path = exchange->target[1];
    if (exchange->resets > 0) {
        driver_release(&driver, exchange);
        return;
    }
    if (path == 't') {
        serve_tunnel(exchange);
        return;
    }
    if (path == 'c' && !exchange->ended && exchange->mark == 0) {
        driver_ask(&driver, exchange, 65536);
        exchange->mark = 1;
    }
    if (!exchange->ended)
        return;
    size_t length;
    const uint8_t *body = body_of(path, &length);
    switch (path) {
    case 's':
        serve_stream(exchange);
        break;
    case 'k':
    case 'K':
        driver_send_kept(&driver, exchange, GN_FLAG_RELEASE, gn_id(path == 'k' ? 0 : 1, 1));
        break;
    case 'h':
        driver_command(&driver, (struct gn_command){.kind = GN_COMMAND_WATCH, .subject = exchange->connection});
        watched += exchange->connection != watched_last;
        watched_last = exchange->connection;
        driver_answer(&driver, exchange, "hello");
        break;
    case 'b':
        driver_respond(&driver, exchange, 200, GN_FLAG_END | GN_FLAG_RELEASE, -1, body, length);
        driver_note_release(&driver, exchange);
        break;
    default:
        CHECK_BYTES(exchange->body, exchange->body_length, ALPHABET);
        driver_answer(&driver, exchange, ALPHABET);
        break;
    }
}

static void serve_all(void)
{
    for (size_t i = 0; i < driver.exchange_count; i++) {
        if (!driver.exchanges[i]->released)
            serve(driver.exchanges[i]);
    }
}

/* Those that are over are of no interest any more. */
static void forget_exchanges(void)
{
    for (size_t i = 0; i < driver.exchange_count; i++) {
        struct driver_exchange *exchange = driver.exchanges[i];
        CHECK(exchange->released && exchange->block_count == 0);
        free(exchange->body);
        free(exchange->trailers);
        free(exchange->blocks);
        free(exchange->block_lengths);
        free(exchange);
    }
    driver.exchange_count = 0;
}

/* ---- the client ---- */

struct client {
    const struct scenario *scenario;
    int descriptor;
    struct gn_io_memory_peer *far;
    unsigned step;
    size_t written; /* of the step */
    char *bytes;    /* that came */
    size_t length, room;
    bool ended, reset, finished;
    unsigned complete, interims; /* responses */
    bool switched;
    bool whole; /* and all is as it was meant */
};

static struct client client_connect(const struct scenario *scenario)
{
    struct client client = {.scenario = scenario, .descriptor = -1};
    if (in_memory()) {
        client.far = gn_io_memory_connect(driver.io, driver.descriptor);
        REQUIRE(client.far != NULL);
        gn_io_memory_room(client.far, 16384);
        return client;
    }
    client.descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(client.descriptor >= 0);
    int small = 4096;
    REQUIRE(setsockopt(client.descriptor, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)) == 0);
    REQUIRE(connect(client.descriptor, (struct sockaddr *)&address, sizeof(address)) == 0);
    return client;
}

static void client_free(struct client *client)
{
    if (in_memory())
        gn_io_memory_peer_free(client->far);
    else
        close(client->descriptor);
    free(client->bytes);
}

static size_t client_write(struct client *client, const char *bytes, size_t length)
{
    if (in_memory())
        return gn_io_memory_write(client->far, bytes, length);
    ssize_t written = send(client->descriptor, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    return written < 0 ? 0 : (size_t)written;
}

static size_t client_read(struct client *client)
{
    char bytes[8192];
    ssize_t length;
    if (in_memory()) {
        length = (ssize_t)gn_io_memory_read(client->far, bytes, sizeof(bytes));
        if (length == 0) {
            client->reset = gn_io_memory_saw_reset(client->far);
            client->ended = client->reset || gn_io_memory_saw_end(client->far);
        }
    } else {
        length = recv(client->descriptor, bytes, sizeof(bytes), MSG_DONTWAIT);
        client->ended = length == 0 || (length < 0 && errno != EAGAIN);
        client->reset = length < 0 && errno == ECONNRESET;
        length = length < 0 ? 0 : length;
    }
    if (client->length + (size_t)length + 1 > client->room) {
        client->room = 2 * (client->length + (size_t)length + 1);
        client->bytes = realloc(client->bytes, client->room);
        REQUIRE(client->bytes != NULL);
    }
    memcpy(client->bytes + client->length, bytes, (size_t)length);
    client->length += (size_t)length;
    client->bytes[client->length] = '\0';
    return (size_t)length;
}

/* Takes a chunked body apart, in place: its length so far; *end behind it, or NULL if the last chunk is not there. */
static size_t join_chunks(char *from, char *limit, char *body, char **end)
{
    size_t length = 0;
    *end = NULL;
    for (;;) {
        char *line = memmem(from, (size_t)(limit - from), "\r\n", 2);
        if (line == NULL)
            return length;
        size_t chunk = strtoul(from, NULL, 16), there = (size_t)(limit - line) - 2;
        if (chunk == 0) {
            char *last = memmem(line, (size_t)(limit - line), "\r\n\r\n", 4);
            *end = last == NULL ? NULL : last + 4;
            return length;
        }
        memmove(body + length, line + 2, chunk < there ? chunk : there);
        length += chunk < there ? chunk : there;
        if (there < chunk + 2)
            return length;
        from = line + 2 + chunk + 2;
    }
}

/* What the client has got, taken as a client takes it: a response that looks complete must be what was meant. */
static void client_judge(struct client *client)
{
    char *copy = malloc(client->length + 1), *at = copy, *limit = copy + client->length;
    REQUIRE(copy != NULL);
    if (client->length > 0)
        memcpy(copy, client->bytes, client->length);
    *limit = '\0';
    client->complete = client->interims = 0;
    client->whole = true;
    while (at < limit) {
        char *behind = memmem(at, (size_t)(limit - at), "\r\n\r\n", 4);
        if (behind == NULL)
            break;
        behind[2] = '\0'; // the end of the last field line stays
        char *body = behind + 4, *end = NULL;
        unsigned status = (unsigned)strtoul(at + 9, NULL, 10);
        if (status / 100 == 1 && status != 101) {
            client->interims++;
            at = body;
            continue;
        }
        REQUIRE(client->complete < strlen(client->scenario->paths));
        size_t meant_length, length = (size_t)(limit - body);
        const uint8_t *meant = body_of(client->scenario->paths[client->complete], &meant_length);
        char *sized = strstr(at, "content-length: ");
        bool said = true; // by its framing, that it is complete
        if (status == 101) {
            client->switched = true;
            said = client->ended && !client->reset;
            end = limit;
        } else if (strstr(at, "transfer-encoding: chunked") != NULL) {
            length = join_chunks(body, limit, body, &end);
            said = end != NULL;
        } else if (sized != NULL) {
            size_t declared = strtoul(sized + 16, NULL, 10);
            said = length >= declared;
            length = said ? declared : length;
            end = body + declared;
        } else {
            said = client->ended && !client->reset;
            end = limit;
        }
        bool as_meant = status == 200 || status == 101;
        if (as_meant)
            CHECK(length <= meant_length && memcmp(body, meant, length) == 0);
        if (as_meant && said)
            CHECK_EQ(length, meant_length); // a truncated response does not look complete
        client->whole = client->whole && as_meant && said && length == meant_length;
        if (!said)
            break;
        client->complete++;
        at = end;
    }
    client->whole = client->whole && client->complete == strlen(client->scenario->paths);
    free(copy);
}

static bool client_may_write(const struct client *client)
{
    switch (client->scenario->steps[client->step].after) {
    case AFTER_CONTINUE:
        return client->interims > 0 || client->complete > 0;
    case AFTER_SWITCH:
        return client->switched;
    default:
        return client->complete >= client->scenario->steps[client->step].after;
    }
}

/* The bytes that moved. */
static size_t client_act(struct client *client, unsigned turns)
{
    size_t moved = 0;
    if (!client->ended && (!client->scenario->slow || turns % 4 == 0) && (moved = client_read(client)) == 0 &&
        !client->ended)
        moved = 0;
    if (moved > 0 || client->ended)
        client_judge(client);
    const char *text;
    if (client->step < 3 && (text = client->scenario->steps[client->step].text) != NULL && client_may_write(client)) {
        size_t written = client_write(client, text + client->written, strlen(text + client->written));
        client->written += written;
        moved += written;
        if (text[client->written] == '\0') {
            client->step++;
            client->written = 0;
        }
    } else if (client->switched && !client->finished && client->bytes != NULL &&
               strstr(client->bytes, ALPHABET) != NULL) {
        client->finished = true; // the tunnel's end is this side's to begin
        if (in_memory())
            gn_io_memory_finish(client->far);
        else
            (void)shutdown(client->descriptor, SHUT_WR);
        moved++;
    }
    return moved;
}

/* The network in memory does not tell a peer that its descriptor was closed without having been attached. */
static bool was_refused(void)
{
    return in_memory() && driver.accept_failed > 0 && ordered->operation != GN_IO_OP_ACCEPT;
}

static bool client_is_done(const struct client *client)
{
    return client->ended || was_refused() || client->complete == strlen(client->scenario->paths);
}

#endif
