/*
 * Whatever fails, and whenever: each kind of failure comes at the first chance, at the second, and so on, until a whole
 * exchange passes without it, on every backend. Afterwards the client has what was meant for it or an end that says
 * otherwise, nothing is missing, and the loop serves the next one.
 */
#include "loop/driver.h"
#include "loop/failing_calls.h"

#include <dirent.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <time.h>

#include "io/listen.h"

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

static unsigned count_descriptors(void)
{
    unsigned count = 0;
    DIR *directory = opendir("/proc/self/fd");
    REQUIRE(directory != NULL);
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

static time_t seconds_now(void)
{
    struct timespec time;
    REQUIRE(clock_gettime(CLOCK_MONOTONIC, &time) == 0);
    return time.tv_sec;
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

/* ---- a play ---- */

/* Nothing is ordered any more. */
static void nothing_fails(void)
{
    memset(driver.faults.error, 0, sizeof(driver.faults.error));
    driver.faults.short_length = 0;
    failing.call = CALL_NONE;
}

/*
 * Turns until `done` says so. What goes on failing does so until nothing moves any more. False: nothing moves, and it is
 * not done.
 */
static bool turn_until(struct client *client, bool (*done)(const struct client *client))
{
    const struct gn_counters *counters = &driver.shared->counters;
    time_t deadline = seconds_now() + PLAY_SECONDS;
    unsigned quiet = 0;
    for (unsigned turns = 0; driver.died == 0 && !done(client); turns++) {
        uint64_t before = counters->bytes_received + counters->bytes_sent + counters->connections_accepted;
        uint32_t events = driver_poll_wait(&driver, quiet < 20 ? 0 : MILLISECOND);
        serve_all();
        size_t moved = client == NULL ? 0 : client_act(client, turns);
        uint64_t after = counters->bytes_received + counters->bytes_sent + counters->connections_accepted;
        quiet = events + moved + (after - before) + driver.command_count == 0 ? quiet + 1 : 0;
        if (quiet == 40 && ordered->lasting)
            nothing_fails();
        if (quiet > 5000 || seconds_now() > deadline)
            return false;
    }
    return true;
}

static bool is_unlistened(const struct client *client)
{
    (void)client;
    return driver.unlistened > 0;
}

static bool say_where(bool right)
{
    if (!right)
        fprintf(stderr, "    %s, %s, %s chance %u: %s\n", variant_names[variant], ordered->name, calm ? "after" : "at",
                chance, played);
    return right;
}

static bool reached(void)
{
    if (ordered->call != CALL_NONE)
        return failing.failed > 0;
    return ordered->error != 0 && driver.faults.error[ordered->operation] == 0;
}

/* One client from its connection to its end. */
static void play_client(const struct scenario *scenario)
{
    struct client client = client_connect(scenario);
    played = scenario->name;
    unsigned before = test_failures;
    CHECK(turn_until(&client, client_is_done));
    client_judge(&client);
    if (calm || ordered->harmless || !reached())
        CHECK(client.whole);
    say_where(test_failures == before);
    client_free(&client);
}

static void unlisten(void)
{
    unsigned before = test_failures;
    driver.unlistened = driver.accept_failed = 0;
    driver_unlisten(&driver, 0);
    CHECK(turn_until(NULL, is_unlistened));
    say_where(test_failures == before);
}

static void order(const struct kind *kind, uint32_t at)
{
    ordered = kind;
    chance = at;
    calm = false;
    driver.faults.short_length = kind->piece;
    if (kind->call != CALL_NONE) {
        failing_order(kind->call, kind->error, at, kind->lasting);
        return;
    }
    driver.faults.error[kind->operation] = kind->error;
    driver.faults.countdown[kind->operation] = at;
    driver.faults.once[kind->operation] = !kind->lasting;
}

static void check_nothing_is_missing(void)
{
    const struct gn_counters *counters = &driver.shared->counters;
    unsigned before = test_failures;
    CHECK_EQ(counters->connections_open, 0);
    CHECK_EQ(counters->exchanges_open, 0);
    CHECK_EQ(counters->exchanges_abandoned, 0);
    CHECK_EQ(counters->tunnels_open, 0);
    CHECK_EQ(counters->blocks_lent, 0);
    for (unsigned use = 0; use < GN_ARENA_USE_COUNT; use++)
        CHECK_EQ(driver.loop->context.arena.used[use], 0);
    CHECK_EQ(driver.loop->context.wheel.count, 0);
    CHECK_EQ(driver.unknown, 0);
    CHECK_EQ(driver.closed, watched);
    say_where(test_failures == before);
}

/* A failure at one chance, from listening to the end of the listener. True: it was reached. */
static bool play_chance(const struct scenario *scenario, const struct kind *kind, uint32_t at)
{
    order(kind, at);
    played = scenario->name;
    keep_responses();
    bool listens = listen_anew();
    if (listens)
        play_client(scenario);
    bool was_reached = reached();
    if (driver.died == 0 && listens) {
        unlisten();
        was_reached = reached() || was_reached;
    }
    nothing_fails();
    if (driver.died != 0)
        return was_reached;
    calm = true;
    if (!listens)
        driver_settle(&driver); // a listener that could not begin ends as others do
    CHECK(listens || was_reached);
    forget_responses();
    REQUIRE(listen_anew());
    play_client(&scenarios[0]);
    unlisten();
    check_nothing_is_missing();
    forget_exchanges();
    return was_reached;
}

static void close_world(unsigned descriptors)
{
    nothing_fails();
    if (driver.died == 0)
        driver_settle(&driver);
    CHECK_EQ(gn_loop_stop(driver.loop, SECOND), 0);
    say_where(driver.shared->counters.connections_open == 0);
    CHECK_EQ(driver.shared->counters.connections_open, 0);
    driver_free(&driver); // asserts that the heap is empty
    CHECK_EQ(count_descriptors(), descriptors);
}

static void play_kind(enum variant wanted, const struct scenario *scenario, const struct kind *kind)
{
    unsigned descriptors = count_descriptors();
    bool is_open = false;
    uint32_t at = 0;
    for (bool more = true; more; at++) {
        REQUIRE(at < CHANCES_MAX);
        if (!is_open) {
            prepare_world(wanted);
            driver.may_die = kind->fatal;
            if (!open_world())
                return;
        }
        is_open = true;
        more = play_chance(scenario, kind, at);
        if (kind->fresh || driver.died != 0) {
            close_world(descriptors);
            is_open = false;
        }
    }
    if (is_open)
        close_world(descriptors);
}

/* ---- the kinds ---- */

enum {
    IN_MEMORY = 1 << MEMORY | 1 << LATE,
    IN_KERNEL = 1 << EPOLL | 1 << URING,
    ON_EPOLL = 1 << EPOLL,
    ON_URING = 1 << URING,
    ANYWHERE = IN_MEMORY | IN_KERNEL,
};

static const struct kind sending[] = {
    {.name = "sends nothing", .variants = ANYWHERE, .operation = GN_IO_OP_SEND, .error = GN_IO_FAULT_NOTHING_SENT},
    {.name = "send: EAGAIN", .variants = ANYWHERE, .operation = GN_IO_OP_SEND, .error = EAGAIN, .harmless = true},
    {.name = "send: EINTR", .variants = ON_URING, .operation = GN_IO_OP_SEND, .error = EINTR, .harmless = true},
    {.name = "send: EPIPE", .variants = ANYWHERE, .operation = GN_IO_OP_SEND, .error = EPIPE},
    {.name = "send: ECONNRESET", .variants = ANYWHERE, .operation = GN_IO_OP_SEND, .error = ECONNRESET},
    {.name = "send: ENOBUFS", .variants = ANYWHERE, .operation = GN_IO_OP_SEND, .error = ENOBUFS},
    {.name = "send: ENOMEM", .variants = ANYWHERE, .operation = GN_IO_OP_SEND, .error = ENOMEM},
    {.name = "sendto returns 0", .variants = ON_EPOLL, .call = CALL_SEND, .error = 0},
    {.name = "sendto: EINTR", .variants = ON_EPOLL, .call = CALL_SEND, .error = EINTR, .harmless = true},
    {.name = "sendto: ENOBUFS", .variants = ON_EPOLL, .call = CALL_SEND, .error = ENOBUFS},
};

static const struct kind receiving[] = {
    {.name = "receive: EAGAIN", .variants = ANYWHERE, .operation = GN_IO_OP_RECEIVE, .error = EAGAIN, .harmless = true},
    {.name = "receive: EINTR", .variants = ANYWHERE, .operation = GN_IO_OP_RECEIVE, .error = EINTR, .harmless = true},
    {.name = "receive: ECONNRESET", .variants = ANYWHERE, .operation = GN_IO_OP_RECEIVE, .error = ECONNRESET},
    {.name = "receive: ENOMEM", .variants = ANYWHERE, .operation = GN_IO_OP_RECEIVE, .error = ENOMEM},
    {.name = "receive: ENOBUFS", .variants = IN_MEMORY | ON_EPOLL, .operation = GN_IO_OP_RECEIVE, .error = ENOBUFS},
    {.name = "no buffers", .variants = ON_URING, .operation = GN_IO_OP_RECEIVE, .error = ENOBUFS, .harmless = true},
    {.name = "recvfrom: EINTR", .variants = ON_EPOLL, .call = CALL_RECEIVE, .error = EINTR, .harmless = true},
    {.name = "recvfrom: ENOMEM", .variants = ON_EPOLL, .call = CALL_RECEIVE, .error = ENOMEM},
};

static const struct kind accepting[] = {
    {.name = "accept: ECONNABORTED",
     .variants = ANYWHERE,
     .operation = GN_IO_OP_ACCEPT,
     .error = ECONNABORTED,
     .harmless = true},
    {.name = "accept: EINTR", .variants = ANYWHERE, .operation = GN_IO_OP_ACCEPT, .error = EINTR, .harmless = true},
    {.name = "accept: EMFILE",
     .variants = ANYWHERE,
     .operation = GN_IO_OP_ACCEPT,
     .error = EMFILE,
     .harmless = true,
     .few = true},
    {.name = "accept4: EINTR", .variants = ON_EPOLL, .call = CALL_ACCEPT, .error = EINTR, .harmless = true},
    {.name = "accept4: ECONNABORTED",
     .variants = ON_EPOLL,
     .call = CALL_ACCEPT,
     .error = ECONNABORTED,
     .harmless = true},
    {.name = "accept4: ENOBUFS",
     .variants = ON_EPOLL,
     .call = CALL_ACCEPT,
     .error = ENOBUFS,
     .harmless = true,
     .few = true},
    {.name = "accept4: ENFILE lastingly",
     .variants = ON_EPOLL,
     .call = CALL_ACCEPT,
     .error = ENFILE,
     .lasting = true,
     .harmless = true,
     .few = true},
    {.name = "attach: ENOSPC", .variants = ANYWHERE, .operation = GN_IO_OP_ATTACH, .error = ENOSPC, .few = true},
    {.name = "epoll_ctl: ENOMEM", .variants = ON_EPOLL, .call = CALL_EPOLL_REGISTER, .error = ENOMEM, .few = true},
    {.name = "fcntl: EBADF", .variants = IN_KERNEL, .call = CALL_FLAGS, .error = EBADF, .few = true},
};

static const struct kind others[] = {
    {.name = "shut down: ENOTCONN", .variants = ANYWHERE, .operation = GN_IO_OP_SHUT_DOWN, .error = ENOTCONN},
    {.name = "shutdown: ENOBUFS", .variants = IN_KERNEL, .call = CALL_SHUT_DOWN, .error = ENOBUFS},
    {.name = "addresses: ENOBUFS", .variants = IN_KERNEL, .call = CALL_ADDRESS, .error = ENOBUFS, .harmless = true},
    {.name = "addresses: ENOTCONN",
     .variants = IN_KERNEL,
     .call = CALL_ADDRESS,
     .error = ENOTCONN,
     .lasting = true,
     .harmless = true},
    {.name = "close: EINTR", .variants = ON_EPOLL, .call = CALL_CLOSE, .error = EINTR, .harmless = true},
    {.name = "close: EIO", .variants = ON_EPOLL, .call = CALL_CLOSE, .error = EIO, .harmless = true},
    {.name = "wait: EINTR", .variants = ANYWHERE, .operation = GN_IO_OP_WAIT, .error = EINTR, .harmless = true},
    {.name = "enter: EAGAIN", .variants = ON_URING, .call = CALL_RING_ENTER, .error = EAGAIN, .harmless = true},
    {.name = "enter: EBUSY", .variants = ON_URING, .call = CALL_RING_ENTER, .error = EBUSY, .harmless = true},
    {.name = "enter: EINTR", .variants = ON_URING, .call = CALL_RING_ENTER, .error = EINTR, .harmless = true},
};

static const struct kind in_pieces[] = {
    {.name = "byte for byte", .variants = ANYWHERE, .piece = 1, .harmless = true},
    {.name = "in pieces", .variants = ANYWHERE, .piece = 7, .harmless = true},
    {.name = "send: EAGAIN between pieces",
     .variants = ANYWHERE,
     .operation = GN_IO_OP_SEND,
     .error = EAGAIN,
     .piece = 500,
     .harmless = true},
    {.name = "send: EPIPE between pieces",
     .variants = ANYWHERE,
     .operation = GN_IO_OP_SEND,
     .error = EPIPE,
     .piece = 500},
};

static const struct kind fatal[] = {
    {.name = "wait: EBADF", .variants = ANYWHERE, .operation = GN_IO_OP_WAIT, .error = EBADF, .fatal = true},
    {.name = "enter: EBADR", .variants = ON_URING, .call = CALL_RING_ENTER, .error = EBADR, .fatal = true},
};

static const struct kind memory[] = {
    {.name = "an allocation", .variants = ANYWHERE, .call = CALL_ALLOCATE, .error = ENOMEM, .fresh = true},
    {.name = "allocations from there on",
     .variants = IN_MEMORY,
     .call = CALL_ALLOCATE,
     .error = ENOMEM,
     .lasting = true,
     .fresh = true},
};

static void play_all(const struct kind *kinds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (enum variant wanted = MEMORY; wanted < VARIANTS; wanted++) {
            if ((kinds[i].variants & 1U << wanted) == 0)
                continue;
            for (size_t j = 0; j < (kinds[i].few ? 1 : SCENARIOS); j++)
                play_kind(wanted, &scenarios[j], &kinds[i]);
        }
    }
}

#define PLAY_ALL(kinds) play_all(kinds, sizeof(kinds) / sizeof(kinds[0]))

TEST(D12_a_send_that_fails_or_takes_nothing_costs_its_connection_only)
{
    PLAY_ALL(sending);
}

/* The kernel takes nothing and gives no reason, now and whenever it is asked again. */
TEST(D12_a_send_that_takes_nothing_ends_the_connection_and_does_not_spin)
{
    static const struct kind nothing_sent = {.name = "sends nothing lastingly", .lasting = true};
    for (enum variant wanted = MEMORY; wanted < VARIANTS; wanted++) {
        prepare_world(wanted);
        if (!open_world())
            return;
        order(&nothing_sent, 0);
        REQUIRE(listen_anew());
        struct client client = client_connect(&scenarios[0]);
        driver.faults.error[GN_IO_OP_SEND] = GN_IO_FAULT_NOTHING_SENT;
        for (unsigned turns = 0; turns < 50 && !client.ended; turns++) {
            driver_poll_wait(&driver, MILLISECOND);
            serve_all();
            client_act(&client, turns);
        }
        say_where(client.ended && client.reset);
        CHECK(client.ended && client.reset);
        CHECK_EQ(client.length, 0);
        client_free(&client);
        nothing_fails();
        unlisten();
        check_nothing_is_missing();
        CHECK_EQ(gn_loop_stop(driver.loop, SECOND), 0);
        driver_free(&driver);
    }
}

TEST(a_failure_between_pieces_costs_its_connection_only)
{
    PLAY_ALL(in_pieces);
}

TEST(a_receive_that_fails_costs_its_connection_only)
{
    PLAY_ALL(receiving);
}

TEST(D13_an_accept_that_fails_costs_no_client_more_than_time)
{
    PLAY_ALL(accepting);
}

TEST(whatever_else_fails_costs_its_connection_only)
{
    PLAY_ALL(others);
}

TEST(an_allocation_that_fails_costs_its_connection_only)
{
    PLAY_ALL(memory);
}

TEST(a_wait_that_cannot_be_met_is_reported_and_the_loop_can_be_stopped)
{
    PLAY_ALL(fatal);
}

/* ---- beginning and end ---- */

/* Whether `call` can fail once and the loop opens all the same. */
static void open_with(enum variant wanted, enum failing_call call, int error)
{
    unsigned descriptors = count_descriptors();
    for (uint32_t at = 0, more = 1; more; at++) {
        REQUIRE(at < 100);
        prepare_world(wanted);
        failing_order(call, error, at, false);
        failing_arm();
        int result = driver_open_loop(&driver);
        failing_disarm();
        more = failing.failed > 0;
        if (result == 0) {
            CHECK_EQ(gn_loop_stop(driver.loop, SECOND), 0);
            driver_free(&driver);
        } else {
            CHECK(more || wanted == URING);
            more = more && result != -EPERM;
            free(driver.shared);
        }
        CHECK_EQ(count_descriptors(), descriptors);
    }
}

TEST(a_loop_that_cannot_be_opened_leaves_nothing)
{
    for (enum variant wanted = MEMORY; wanted < VARIANTS; wanted++)
        open_with(wanted, CALL_ALLOCATE, ENOMEM);
    open_with(EPOLL, CALL_EPOLL_CREATE, EMFILE);
    open_with(EPOLL, CALL_EPOLL_CREATE, ENOMEM);
    open_with(URING, CALL_RING_SETUP, ENOMEM);
    open_with(URING, CALL_RING_SETUP, EMFILE);
    open_with(URING, CALL_RING_REGISTER, ENOMEM);
    open_with(URING, CALL_MAP, ENOMEM);
}

TEST(a_slab_that_finds_no_memory_stays_with_its_owner)
{
    prepare_world(MEMORY);
    driver.slab_count = 0;
    driver.shared->loop.low_water = DRIVER_SLAB / 2;
    REQUIRE(open_world());
    driver_settle(&driver);
    uint8_t *slab = driver_new_slab(DRIVER_SLAB);
    int index = -ENOMEM;
    uint32_t at = 0;
    for (; index == -ENOMEM; at++) {
        REQUIRE(at < 100);
        CHECK_EQ(driver.loop->context.arena.total, 0);
        failing_order(CALL_ALLOCATE, ENOMEM, at, false);
        failing_arm();
        index = gn_loop_add_slab(driver.loop, slab, DRIVER_SLAB);
        failing_disarm();
        driver_settle(&driver);
        CHECK_EQ(driver.slabs_wanted, 1); // it is the owner that tries again
    }
    CHECK(at > 1);
    CHECK_EQ(index, 1);
    driver.slabs[0] = slab;
    CHECK_EQ(gn_loop_stop(driver.loop, SECOND), 0);
    driver_free(&driver);
}

/* Java asks to be told of the end of a connection that is gone already. */
TEST(a_watch_that_comes_too_late_is_answered_without_memory)
{
    prepare_world(MEMORY);
    REQUIRE(open_world());
    static const struct kind nothing = {.name = "a late watch"};
    order(&nothing, 0);
    REQUIRE(listen_anew());
    struct gn_io_memory_peer *peer = driver_connect(&driver);
    driver_write(&driver, peer, GET);
    driver_settle(&driver);
    gn_io_memory_reset(peer);
    driver_settle(&driver);
    CHECK_EQ(driver_exchange(&driver, 0)->resets, 1);
    uint64_t connection = driver_exchange(&driver, 0)->connection;
    driver_command(&driver, (struct gn_command){.kind = GN_COMMAND_WATCH, .subject = connection});
    failing_order(CALL_ALLOCATE, ENOMEM, 0, true);
    driver_settle(&driver);
    nothing_fails();
    CHECK_EQ(driver.closed, 1);
    CHECK_EQ(driver.closed_subject, connection);
    driver_close(&driver);
}

/* Stops a loop in the middle of a large response while a call fails, lastingly for what may be tried again. */
static void stop_with(enum variant wanted, enum failing_call call, int error)
{
    static const struct kind stopping = {.name = "stop"};
    unsigned descriptors = count_descriptors();
    for (uint32_t at = 0, more = 1; more; at++) {
        REQUIRE(at < 100);
        prepare_world(wanted);
        if (!open_world())
            return;
        order(&stopping, at);
        nothing_fails();
        REQUIRE(listen_anew());
        struct client client = client_connect(&scenarios[7]);
        for (unsigned turns = 0; client.length < 1000; turns++) {
            REQUIRE(turns < 100000);
            driver_poll(&driver);
            serve_all();
            client_act(&client, turns);
        }
        failing_order(call, error, at, false);
        failing_arm();
        CHECK_EQ(gn_loop_stop(driver.loop, 5 * SECOND), 0);
        failing_disarm();
        more = failing.failed > 0;
        CHECK_EQ(driver.shared->counters.connections_open, 0);
        time_t deadline = seconds_now() + PLAY_SECONDS;
        while (!client.ended && seconds_now() < deadline)
            client_read(&client);
        CHECK(client.ended);
        client_judge(&client);
        CHECK(!client.whole);
        client_free(&client);
        driver_free(&driver);
        CHECK_EQ(count_descriptors(), descriptors);
    }
}

TEST(a_loop_stops_whatever_fails)
{
    for (enum variant wanted = MEMORY; wanted < VARIANTS; wanted++)
        stop_with(wanted, CALL_ALLOCATE, ENOMEM);
    stop_with(EPOLL, CALL_EPOLL_REGISTER, ENOENT);
    stop_with(EPOLL, CALL_CLOSE, EINTR);
    stop_with(URING, CALL_RING_ENTER, EINTR);
    stop_with(URING, CALL_RING_ENTER, EAGAIN);
    stop_with(URING, CALL_RING_REGISTER, EINVAL);
}

/* ---- no descriptors ---- */

static uint64_t milliseconds_now(void)
{
    struct timespec time;
    REQUIRE(clock_gettime(CLOCK_MONOTONIC, &time) == 0);
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

/* The process may open no more descriptors, from before the listener begins: io_uring keeps the limit of that time. */
static void run_out_of_descriptors(enum variant wanted)
{
    static const struct kind shortage = {.name = "no descriptors", .harmless = true};
    prepare_world(wanted);
    if (!open_world())
        return;
    order(&shortage, 0);
    unsigned before = test_failures;
    struct client client = {.scenario = &scenarios[0], .descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    driver.descriptor = listening_descriptor();
    int next = dup(0);
    REQUIRE(client.descriptor >= 0 && next >= 0 && close(next) == 0);
    struct rlimit usual, none;
    REQUIRE(getrlimit(RLIMIT_NOFILE, &usual) == 0);
    none = usual;
    none.rlim_cur = (rlim_t)next;
    REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
    driver.listener = gn_loop_listen(driver.loop, driver.descriptor);
    REQUIRE(driver.listener > 0);
    REQUIRE(connect(client.descriptor, (struct sockaddr *)&address, sizeof(address)) == 0);

    const struct gn_counters *counters = &driver.shared->counters;
    uint64_t begin = milliseconds_now(), turns = counters->turns;
    while (counters->accept_failures < 4) {
        REQUIRE(milliseconds_now() - begin < 1000 * PLAY_SECONDS);
        driver_poll_wait(&driver, SECOND);
    }
    // Three pauses of 100 ms, and each attempt a few turns.
    CHECK_EQ(driver.accept_error, EMFILE);
    CHECK(milliseconds_now() - begin >= 300);
    CHECK(counters->turns - turns < 40);
    CHECK_EQ(counters->connections_accepted, 0);
    REQUIRE(setrlimit(RLIMIT_NOFILE, &usual) == 0);
    CHECK(turn_until(&client, client_is_done));
    client_judge(&client);
    CHECK(client.whole);
    client_free(&client);
    unlisten();
    check_nothing_is_missing();
    say_where(test_failures == before);
    CHECK_EQ(gn_loop_stop(driver.loop, SECOND), 0);
    driver_free(&driver);
}

TEST(D13_without_descriptors_the_loop_neither_ends_nor_spins)
{
    run_out_of_descriptors(EPOLL);
    run_out_of_descriptors(URING);
}

TEST_MAIN()
