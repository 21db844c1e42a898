#include "loop/driver.h"
#include "random.h"

/*
 * Sessions made of random numbers: peers that pipeline every kind of request in random pieces, handlers that answer by
 * every command in random steps, small rings, little credit. What each request and its answer are is planned before, so
 * that both sides know what they must see, byte for byte; what a troubled session may leave out, it may not change.
 * The environment variables GANNET_SEED and GANNET_RUNS choose the first session and how many there are.
 */

static struct driver driver;

#define PEERS 4U
#define REQUESTS 8U
#define LENGTH_MAX 20000U
#define KEPT 3U

enum trouble {
    CALM,
    PEERS_GO,     /* peers reset, or end their side in the middle */
    MEMORY_FAILS, /* for a while */
    JAVA_ENDS     /* CLOSE and UNLISTEN, and time passes */
};

enum answer { WHOLE, SIZED, UNKNOWN, WITH_TRAILERS, ALWAYS_CHUNKED, KEPT_WHOLE, TUNNEL, RESET_WITHIN, RELEASE_WITHIN };

struct plan {
    size_t body;
    bool head, chunked, trailers, upgrade, connect, version_1_0, kept_alive, expects, closes;
    enum answer answer;
    size_t length;
    unsigned status, interims, kept;
    bool says_close, notify, early, held; /* held: it is ended when the answer behind it was seen */
    /* what the handler has done */
    bool asked, begun, finished;
    unsigned interims_said;
    size_t said;
};

struct client {
    struct gn_io_memory_peer *peer;
    struct plan plans[REQUESTS];
    unsigned plan_count;
    char *text;
    size_t text_length, text_room, written;
    char *got;
    size_t got_length, got_room, parsed;
    unsigned answered, interims, continues;
    bool troubled, finished, gone, over, in_tunnel;
};

static struct client clients[PEERS];
static enum trouble trouble;
static uint64_t kept_ids[KEPT];
static const size_t kept_lengths[KEPT] = {0, 700, 9000};

static char octet_of(unsigned peer, unsigned request, size_t at)
{
    return (char)('a' + (peer * 3 + request * 5 + at + at / 26) % 26);
}

static void fill(char *to, unsigned peer, unsigned request, size_t from, size_t length)
{
    for (size_t i = 0; i < length; i++)
        to[i] = octet_of(peer, request, from + i);
}

static bool is_filled(const char *bytes, unsigned peer, unsigned request, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] != octet_of(peer, request, i))
            return false;
    }
    return true;
}

static bool is_tunnel(const struct plan *plan)
{
    return plan->answer == TUNNEL;
}

static bool has_body(const struct plan *plan)
{
    return plan->body > 0 || plan->chunked;
}

/* Whether the answer has no content, whatever the handler says. */
static bool silent(const struct plan *plan)
{
    return plan->head || plan->status == 204 || plan->status == 205 || plan->status == 304;
}

static bool hears_interims(const struct plan *plan)
{
    return !plan->version_1_0 && !plan->head;
}

static bool breaks(const struct plan *plan)
{
    return plan->answer == RESET_WITHIN || plan->answer == RELEASE_WITHIN;
}

/* Whether the peer has all of the answer before the handler ends it. */
static bool is_whole_early(const struct plan *plan)
{
    return !breaks(plan) && (silent(plan) || plan->answer == SIZED) && plan->answer <= WITH_TRAILERS &&
           plan->answer != WHOLE;
}

/* Whether nothing behind this request needs to be answered. */
static bool may_be_last(const struct plan *plan)
{
    return plan->closes || plan->says_close || is_tunnel(plan) || breaks(plan) ||
           (plan->version_1_0 && (!plan->kept_alive || plan->answer == UNKNOWN || plan->answer == WITH_TRAILERS)) ||
           (plan->early && has_body(plan));
}

/* ---- the plan ---- */

static size_t random_length(void)
{
    switch (below(5)) {
    case 0:
        return 0;
    case 1:
        return 1 + below(20);
    case 2:
        return below(4000);
    default:
        return below(LENGTH_MAX);
    }
}

static struct plan random_plan(bool with_breaks)
{
    struct plan plan = {.status = 200, .length = random_length(), .answer = (enum answer)below(KEPT_WHOLE + 1)};
    unsigned kind = below(10);
    if (kind == 0) {
        plan.head = true;
    } else if (kind == 1) {
        plan.connect = true;
        plan.answer = once_in(2) ? TUNNEL : WHOLE;
    } else if (kind >= 5) {
        plan.body = random_length();
        plan.chunked = once_in(2);
        plan.trailers = plan.chunked && once_in(2);
    }
    plan.version_1_0 = !plan.connect && !plan.chunked && once_in(6);
    plan.kept_alive = plan.version_1_0 && once_in(2);
    plan.closes = !plan.version_1_0 && once_in(20);
    plan.upgrade = !plan.connect && once_in(4);
    plan.expects = !plan.version_1_0 && has_body(&plan) && once_in(5);
    plan.early = once_in(6);
    if (plan.upgrade && !plan.version_1_0 && once_in(2)) {
        plan.answer = TUNNEL;
        plan.early = false;
    }
    if (!is_tunnel(&plan)) {
        static const unsigned statuses[] = {200, 200, 200, 404, 204, 205, 304};
        plan.status = plan.connect ? 404 : plan.answer == KEPT_WHOLE ? 200 : statuses[below(7)];
        if (with_breaks && once_in(25) && !silent(&plan) && plan.length > 0)
            plan.answer = once_in(2) ? RESET_WITHIN : RELEASE_WITHIN;
    }
    plan.interims = once_in(4) ? 1 + below(2) : 0;
    plan.kept = below(KEPT);
    plan.says_close = once_in(25);
    plan.notify = once_in(4);
    plan.held = is_whole_early(&plan) && once_in(2);
    return plan;
}

static void add(struct client *client, const void *bytes, size_t length)
{
    if (client->text_length + length > client->text_room) {
        client->text_room = client->text_length + length + 65536;
        client->text = realloc(client->text, client->text_room);
        REQUIRE(client->text != NULL);
    }
    memcpy(client->text + client->text_length, bytes, length);
    client->text_length += length;
}

static void add_text(struct client *client, const char *text)
{
    add(client, text, strlen(text));
}

static void script(struct client *client, unsigned number, unsigned request)
{
    const struct plan *plan = &client->plans[request];
    static char piece[LENGTH_MAX];
    char line[128];
    const char *method = plan->connect ? "CONNECT" : plan->head ? "HEAD" : has_body(plan) ? "POST" : "GET";
    if (plan->connect)
        sprintf(line, "CONNECT p%u.r%u:80 HTTP/1.1\r\nhost: p%u.r%u:80\r\n", number, request, number, request);
    else
        sprintf(line, "%s /p%u.r%u HTTP/1.%d\r\nhost: h\r\n", method, number, request, plan->version_1_0 ? 0 : 1);
    add_text(client, line);
    if (plan->upgrade)
        add_text(client, plan->closes ? "upgrade: echo\r\nconnection: upgrade, close\r\n"
                                      : "upgrade: echo\r\nconnection: upgrade\r\n");
    else if (plan->closes)
        add_text(client, "connection: close\r\n");
    if (plan->kept_alive)
        add_text(client, "connection: keep-alive\r\n");
    if (plan->expects)
        add_text(client, "expect: 100-continue\r\n");
    if (plan->body > 0 && !plan->chunked) {
        sprintf(line, "content-length: %zu\r\n", plan->body);
        add_text(client, line);
    }
    add_text(client, plan->chunked ? "transfer-encoding: chunked\r\n\r\n" : "\r\n");
    for (size_t at = 0, span; at < plan->body; at += span) {
        span = plan->chunked ? 1 + below(3000) : plan->body;
        span = span < plan->body - at ? span : plan->body - at;
        sprintf(line, "%zx\r\n", span);
        fill(piece, number, request, at, span);
        add_text(client, plan->chunked ? line : "");
        add(client, piece, span);
        add_text(client, plan->chunked ? "\r\n" : "");
    }
    if (plan->chunked)
        add_text(client, plan->trailers ? "0\r\nx-sum: 1\r\ncontent-length: 3\r\n\r\n" : "0\r\n\r\n");
    if (is_tunnel(plan)) {
        size_t length = random_length();
        fill(piece, number, request + 100, 0, length);
        add(client, piece, length);
    }
}

static void plan_client(unsigned number)
{
    struct client *client = &clients[number];
    *client = (struct client){.plan_count = 1 + below(REQUESTS)};
    for (unsigned i = 0; i < client->plan_count; i++) {
        client->plans[i] = random_plan(true);
        script(client, number, i);
        const struct plan *plan = &client->plans[i];
        if (is_tunnel(plan) || plan->closes || (plan->version_1_0 && !plan->kept_alive))
            client->plan_count = i + 1;
    }
}

/* ---- the handler ---- */

static void stage_id(struct driver_staged *staged, unsigned peer, unsigned request)
{
    char id[32];
    sprintf(id, "%u/%u", peer, request);
    driver_field(staged, 0, "x-id", id);
}

static size_t credit_of(const struct driver_exchange *exchange, const struct plan *plan)
{
    uint64_t first = driver.shared->listener.send_credit;
    if (exchange->queued && first > GN_QUEUED_SEND_CREDIT)
        first = GN_QUEUED_SEND_CREDIT;
    CHECK(exchange->credits <= plan->said + driver.shared->listener.send_credit - first);
    return (size_t)(first + exchange->credits - plan->said);
}

/* The last record of what it says, which may release as well. */
static void say_last(struct driver_exchange *exchange, struct plan *plan, struct gn_command command,
                     const struct driver_staged *staged, const void *body, size_t length)
{
    plan->finished = true;
    driver_say_last(&driver, exchange, !plan->notify && !is_tunnel(plan) && once_in(2), command, staged, body, length);
}

static void begin_answer(struct driver_exchange *exchange, struct plan *plan, unsigned peer, unsigned request)
{
    static char bytes[LENGTH_MAX];
    struct driver_staged staged = {0};
    stage_id(&staged, peer, request);
    plan->begun = true;
    struct gn_command command = {.kind = GN_COMMAND_RESPOND, .status = (uint16_t)plan->status, .value = -1};
    command.flags = (uint8_t)((plan->says_close ? GN_FLAG_CLOSE : 0) | (plan->notify ? GN_FLAG_NOTIFY : 0));
    switch (plan->answer) {
    case KEPT_WHOLE:
        command.kind = GN_COMMAND_PREPARED;
        command.block = kept_ids[plan->kept];
        command.value = 0;
        say_last(exchange, plan, command, &staged, NULL, 0);
        return;
    case WHOLE:
    case ALWAYS_CHUNKED:
        fill(bytes, peer, request + 50, 0, plan->length);
        command.flags |= GN_FLAG_END | (plan->answer == ALWAYS_CHUNKED ? GN_FLAG_CHUNKED : 0);
        plan->said = plan->length;
        say_last(exchange, plan, command, &staged, bytes, plan->length);
        return;
    case TUNNEL:
        command.status = plan->connect ? 200 : 101;
        exchange->ended = false; // what comes now is no body
        exchange->body_length = 0;
        break;
    default:
        command.value = plan->answer == SIZED || (breaks(plan) && plan->length % 2) ? (int64_t)plan->length : -1;
        break;
    }
    driver_say(&driver, exchange, command, &staged, "");
}

static void end_answer(struct driver_exchange *exchange, struct plan *plan)
{
    struct driver_staged staged = {0};
    if (plan->answer == RESET_WITHIN) {
        plan->finished = true;
        driver_reset(&driver, exchange);
    } else if (plan->answer == RELEASE_WITHIN) {
        plan->finished = true;
        driver_release(&driver, exchange);
    } else if (plan->answer == WITH_TRAILERS) {
        driver_field(&staged, 0, "x-end", "yes");
        say_last(exchange, plan, (struct gn_command){.kind = GN_COMMAND_TRAILERS}, &staged, NULL, 0);
    } else {
        say_last(exchange, plan, (struct gn_command){.kind = GN_COMMAND_DATA, .flags = GN_FLAG_END}, &staged, NULL, 0);
    }
}

/* Whether the next answer will come, if this one is not in its way. */
static bool awaits_next(const struct client *client, unsigned request)
{
    if (client->troubled || request + 1 >= client->plan_count || client->answered > request + 1)
        return false;
    for (unsigned i = 0; i <= request + 1; i++) {
        if (may_be_last(&client->plans[i]))
            return false;
    }
    return true;
}

static void go_on(struct driver_exchange *exchange, struct plan *plan, unsigned peer, unsigned request)
{
    static char bytes[LENGTH_MAX];
    size_t end = breaks(plan) ? plan->length / 2 : plan->length, credit = credit_of(exchange, plan);
    size_t span = 1 + below(3000);
    span = span < end - plan->said ? span : end - plan->said;
    span = span < credit ? span : credit;
    if (plan->said < end && span == 0)
        return;
    fill(bytes, peer, request + 50, plan->said, span);
    plan->said += span;
    if (span > 0)
        driver_data(&driver, exchange, 0, bytes, span);
    if (plan->said == end && !(plan->held && awaits_next(&clients[peer], request)))
        end_answer(exchange, plan);
}

static void check_received(const struct driver_exchange *exchange, const struct plan *plan, unsigned peer,
                           unsigned request)
{
    if (plan->begun && is_tunnel(plan)) {
        CHECK(is_filled((const char *)exchange->body, peer, request + 100, exchange->body_length));
        return;
    }
    CHECK(exchange->body_length <= plan->body);
    CHECK(is_filled((const char *)exchange->body, peer, request, exchange->body_length));
    if (!exchange->ended || exchange->resets > 0)
        return;
    CHECK_EQ(exchange->body_length, plan->body);
    if (plan->trailers)
        CHECK(exchange->trailers != NULL && strcmp(exchange->trailers, "x-sum: 1\n") == 0);
    else
        CHECK(exchange->trailers == NULL);
}

static bool reset_is_allowed(const struct client *client, unsigned request)
{
    if (client->troubled)
        return true;
    for (unsigned i = 0; i <= request; i++) {
        if (may_be_last(&client->plans[i]) && (i < request || breaks(&client->plans[i])))
            return true;
    }
    // Who has not ended what was whole for the peer hears that an answer behind it has ended the connection.
    for (unsigned i = request + 1; is_whole_early(&client->plans[request]) && i < client->plan_count; i++) {
        if (may_be_last(&client->plans[i]))
            return true;
    }
    return false;
}

static void play_handler(struct driver_exchange *exchange)
{
    unsigned peer, request;
    const char *name = exchange->target[0] == '/' ? exchange->target + 1 : exchange->target;
    REQUIRE(sscanf(name, "p%u.r%u", &peer, &request) == 2 && peer < PEERS && request < clients[peer].plan_count);
    struct plan *plan = &clients[peer].plans[request];
    check_received(exchange, plan, peer, request);
    CHECK(exchange->sents <= 1 && exchange->resets <= 1);
    if (exchange->resets > 0) {
        CHECK(reset_is_allowed(&clients[peer], request));
        driver_release(&driver, exchange);
        return;
    }
    if (driver.hold_bodies && exchange->block_count > 0 && once_in(2))
        driver_credit(&driver, exchange);
    if (plan->finished) {
        if (is_tunnel(plan) ? exchange->ended : !plan->notify || exchange->sents > 0)
            driver_release(&driver, exchange);
        return;
    }
    if (plan->interims_said < plan->interims && !plan->begun) {
        struct driver_staged staged = {0};
        stage_id(&staged, peer, request);
        plan->interims_said++;
        driver_interim(&driver, exchange, 103, &staged);
        return;
    }
    if (plan->expects && !plan->asked && !plan->early) {
        plan->asked = true;
        driver_ask(&driver, exchange, driver.shared->listener.receive_credit);
    }
    if (plan->begun)
        go_on(exchange, plan, peer, request);
    else if (exchange->ended || plan->early)
        begin_answer(exchange, plan, peer, request);
}

/* ---- what the peer sees ---- */

/* The value of a field in a head that ends with an empty line, or NULL. */
static const char *field_of(const char *head, const char *name, char value[64])
{
    char line[64];
    sprintf(line, "\r\n%s: ", name);
    const char *at = strstr(head, line);
    if (at == NULL)
        return NULL;
    at += strlen(line);
    size_t length = strcspn(at, "\r");
    CHECK(length < 64);
    memcpy(value, at, length);
    value[length] = '\0';
    return value;
}

/* Decodes a chunked body in place at `bytes`; the bytes used, or 0: it is not complete. */
static size_t decode(char *bytes, size_t length, char *body, size_t *body_length, bool *with_trailers)
{
    size_t at = 0;
    for (*body_length = 0;;) {
        char *end = memchr(bytes + at, '\n', length - at);
        if (end == NULL)
            return 0;
        size_t span = strtoul(bytes + at, NULL, 16);
        at = (size_t)(end + 1 - bytes);
        if (span == 0)
            break;
        if (length - at < span + 2)
            return 0;
        REQUIRE(*body_length + span <= LENGTH_MAX);
        memcpy(body + *body_length, bytes + at, span);
        *body_length += span;
        CHECK(memcmp(bytes + at + span, "\r\n", 2) == 0);
        at += span + 2;
    }
    static const char trailers[] = "x-end: yes\r\n\r\n";
    *with_trailers = length > at && bytes[at] == 'x';
    size_t rest = *with_trailers ? sizeof(trailers) - 1 : 2;
    if (length - at < rest)
        return 0;
    CHECK(memcmp(bytes + at, *with_trailers ? trailers : "\r\n", rest) == 0);
    return at + rest;
}

/* An error that C answers with by itself ends the connection. */
static void take_error(struct client *client, const char *head, unsigned status, size_t rest)
{
    char value[64];
    CHECK(client->troubled && (status == 400 || status == 408));
    CHECK(field_of(head, "content-length", value) != NULL && strcmp(value, "0") == 0);
    CHECK(field_of(head, "connection", value) != NULL && strcmp(value, "close") == 0);
    CHECK_EQ(rest, 0);
    client->over = true;
}

static void check_head(const struct client *client, unsigned number, const char *head, unsigned status)
{
    const struct plan *plan = &client->plans[client->answered];
    char value[64], id[32];
    if (plan->answer == KEPT_WHOLE)
        sprintf(id, "kept/%u", plan->kept);
    else
        sprintf(id, "%u/%u", number, client->answered);
    CHECK(field_of(head, "x-id", value) != NULL && strcmp(value, id) == 0);
    CHECK_EQ(status, is_tunnel(plan) ? (plan->connect ? 200U : 101U) : plan->status);
    CHECK_EQ(client->interims, hears_interims(plan) ? plan->interims : 0);
    if (is_tunnel(plan)) {
        CHECK(field_of(head, "content-length", value) == NULL && field_of(head, "transfer-encoding", value) == NULL);
        return;
    }
    if (plan->says_close || plan->closes)
        CHECK(field_of(head, "connection", value) != NULL && strcmp(value, "close") == 0);
}

/* Takes the next whole message from what was got. False: it is not there yet. */
static bool take_answer(struct client *client, unsigned number)
{
    char *head = client->got + client->parsed, value[64];
    size_t there = client->got_length - client->parsed;
    head[there] = '\0';
    if (client->in_tunnel || client->over || there == 0)
        return false;
    char *end = strstr(head, "\r\n\r\n");
    if (end == NULL)
        return false;
    unsigned status;
    REQUIRE(sscanf(head, "HTTP/1.1 %u", &status) == 1);
    size_t head_length = (size_t)(end + 4 - head);
    char byte = head[head_length];
    head[head_length] = '\0';
    REQUIRE(client->answered < client->plan_count);
    const struct plan *plan = &client->plans[client->answered];
    bool chunked = field_of(head, "transfer-encoding", value) != NULL;
    bool sized = field_of(head, "content-length", value) != NULL;
    size_t length = sized ? strtoul(value, NULL, 10) : 0, used = 0;
    bool interim = status < 200 && status != 101, closes = field_of(head, "connection", value) && value[0] == 'c';
    bool error = !interim && field_of(head, "x-id", value) == NULL;
    if (status == 100) {
        CHECK(plan->expects && client->continues++ == 0);
    } else if (interim) {
        CHECK_EQ(status, 103);
        CHECK(client->interims++ < plan->interims && hears_interims(plan));
    } else if (error) {
        head[head_length] = byte;
        take_error(client, head, status, there - head_length);
        return false;
    } else {
        check_head(client, number, head, status);
    }
    head[head_length] = byte;
    client->in_tunnel = is_tunnel(plan) && !interim;
    if (interim || client->in_tunnel) {
        client->parsed += head_length;
        return true;
    }
    static char body[LENGTH_MAX];
    size_t body_length = 0, expected = plan->answer == KEPT_WHOLE ? kept_lengths[plan->kept] : plan->length;
    bool with_trailers = false;
    char *from = head + head_length;
    there -= head_length;
    if (silent(plan)) {
        CHECK(!chunked);
        expected = 0;
    } else if (chunked) {
        CHECK(!sized && !plan->version_1_0);
        CHECK(plan->answer == UNKNOWN || plan->answer == WITH_TRAILERS || plan->answer == ALWAYS_CHUNKED ||
              breaks(plan));
        used = decode(from, there, body, &body_length, &with_trailers);
        if (used == 0)
            return false;
        CHECK_EQ(with_trailers, plan->answer == WITH_TRAILERS);
    } else if (sized) {
        CHECK_EQ(length, expected);
        if (there < length)
            return false;
        body_length = used = length;
        memcpy(body, from, length);
    } else {
        CHECK(plan->version_1_0);
        bool ended = !client->gone && gn_io_memory_saw_end(client->peer) && !gn_io_memory_saw_reset(client->peer) &&
                     gn_io_memory_sent(client->peer, NULL) == 0;
        if (!ended)
            return false;
        body_length = used = there;
        memcpy(body, from, there);
        client->over = true;
    }
    CHECK(!breaks(plan)); // it would look complete
    CHECK_EQ(body_length, expected);
    CHECK(plan->answer == KEPT_WHOLE ? is_filled(body, plan->kept, 77, body_length)
                                     : is_filled(body, number, client->answered + 50, body_length));
    client->parsed += head_length + used;
    client->answered++;
    client->interims = client->continues = 0;
    client->over |= closes;
    if (closes)
        CHECK_EQ(client->parsed, client->got_length);
    return true;
}

static void check_end(struct client *client, unsigned number)
{
    bool reset = gn_io_memory_saw_reset(client->peer);
    size_t rest = client->got_length - client->parsed;
    if (client->in_tunnel) {
        const struct plan *plan = &client->plans[client->answered];
        CHECK(rest <= plan->length && is_filled(client->got + client->parsed, number, client->answered + 50, rest));
        CHECK(client->gone || (reset ? client->troubled : rest == plan->length));
        return;
    }
    if (client->troubled || client->answered == client->plan_count)
        return;
    bool allowed = breaks(&client->plans[client->answered]);
    for (unsigned i = 0; i <= client->answered; i++)
        allowed |= may_be_last(&client->plans[i]);
    for (unsigned i = client->answered; reset && i < client->plan_count; i++)
        allowed |= breaks(&client->plans[i]) && client->plans[i].version_1_0; // its RST takes what was on its way
    CHECK(allowed);
}

/* ---- a session ---- */

static void keep_all(bool again)
{
    static char body[LENGTH_MAX];
    for (unsigned i = 0; i < KEPT; i++) {
        if (again && !once_in(2))
            continue;
        if (again)
            driver_forget(&driver, kept_ids[i]);
        struct driver_staged staged = {0};
        char id[32];
        sprintf(id, "kept/%u", i);
        driver_field(&staged, 0, "x-id", id);
        fill(body, i, 77, 0, kept_lengths[i]);
        kept_ids[i] = gn_id(i * 20, gn_id_generation(kept_ids[i]) + 1);
        driver_keep(&driver, kept_ids[i], (struct gn_command){.value = (int64_t)kept_lengths[i]}, &staged, body,
                    kept_lengths[i]);
    }
}

static void prepare_session(void)
{
    driver_prepare(&driver);
    struct gn_listener_settings *settings = &driver.shared->listener;
    driver.late = once_in(2);
    driver.hold_bodies = once_in(2);
    driver.read_limit = below(20);
    driver.shared->loop.events_capacity = 64;
    driver.shared->loop.turn_bytes = 1 + below(4000);
    settings->connect = 1;
    settings->pipeline = 1 + below(6);
    settings->receive_credit = 200 + below(9000);
    settings->send_credit = 200 + below(9000);
    settings->discard_bytes = below(20000);
    settings->safe_pipeline = once_in(3);
    settings->half_close = once_in(4) ? 0 : 1;
    driver.faults.short_length = once_in(3) ? 1 + below(700) : 0;
    driver_open(&driver);
    keep_all(false);
    for (unsigned i = 0; i < PEERS; i++) {
        plan_client(i);
        clients[i].peer = driver_connect(&driver);
        gn_io_memory_room(clients[i].peer, 50 + below(20000));
    }
    driver_settle(&driver); // all are accepted: one that is refused for lack of memory would never hear of it
}

static void all_troubled(void)
{
    for (unsigned i = 0; i < PEERS; i++)
        clients[i].troubled = true;
}

static void cause_trouble(struct client *client)
{
    if (trouble == PEERS_GO && !client->gone && once_in(400)) {
        client->gone = client->finished || once_in(2);
        client->troubled = client->finished = true;
        if (client->gone)
            gn_io_memory_reset(client->peer);
        else
            gn_io_memory_finish(client->peer);
    }
    if (trouble == MEMORY_FAILS && once_in(200)) {
        all_troubled();
        struct gn_memory *memory = &driver.loop->context.memory;
        memory->fail_from = memory->fail_from == 0 ? memory->count + 1 + below(5) : 0;
    }
    if (trouble == JAVA_ENDS && once_in(300) && driver.exchange_count > 0) {
        all_troubled();
        const struct driver_exchange *any = driver_exchange(&driver, below((uint32_t)driver.exchange_count));
        if (driver.unlistened == 0 && once_in(10))
            driver_unlisten(&driver, once_in(2) ? GN_FLAG_ABORT : 0);
        else if (once_in(3))
            gn_io_memory_advance(driver.io, below(700) * SECOND);
        else
            driver_command(&driver, (struct gn_command){.kind = GN_COMMAND_CLOSE,
                                                        .flags = once_in(4) ? GN_FLAG_ABORT : 0,
                                                        .subject = any->connection});
    }
}

/* Before that, where half_close is off, the peer's end would be trouble. */
static bool is_answered(const struct client *client)
{
    for (unsigned i = 0; i < client->plan_count; i++) {
        if (!client->plans[i].finished)
            return false;
    }
    return client->answered == client->plan_count;
}

static void play_client(struct client *client, unsigned number)
{
    if (!client->finished) {
        size_t span = 1 + below(once_in(4) ? 20 : 6000);
        span = span < client->text_length - client->written ? span : client->text_length - client->written;
        if (span > 0)
            client->written += gn_io_memory_write(client->peer, client->text + client->written, span);
        bool all = client->written == client->text_length;
        bool wait = driver.shared->listener.half_close == 0 && !client->in_tunnel && !is_answered(client);
        if ((all && !wait && once_in(8)) || gn_io_memory_saw_end(client->peer)) {
            gn_io_memory_finish(client->peer);
            client->finished = true;
        }
    }
    size_t there = gn_io_memory_sent(client->peer, NULL), take = 1 + below(9000);
    take = take < there ? take : there;
    if (client->got_length + take + 1 > client->got_room) {
        client->got_room = client->got_length + take + 65536;
        client->got = realloc(client->got, client->got_room);
        REQUIRE(client->got != NULL);
    }
    client->got_length += gn_io_memory_read(client->peer, client->got + client->got_length, take);
    while (client->got != NULL && take_answer(client, number))
        continue;
}

static bool all_closed(void)
{
    for (unsigned i = 0; i < PEERS; i++) {
        if (!gn_io_memory_saw_close(clients[i].peer) || gn_io_memory_sent(clients[i].peer, NULL) > 0)
            return false;
    }
    return true;
}

static void play(uint64_t start)
{
    seed = start;
    trouble = (enum trouble)below(4);
    prepare_session();
    unsigned steps = 0;
    for (; steps < 60000 && !all_closed(); steps++) {
        unsigned number = below(PEERS);
        cause_trouble(&clients[number]);
        play_client(&clients[number], number);
        if (once_in(200))
            keep_all(true);
        if (driver.exchange_count > 0) {
            struct driver_exchange *exchange = driver_exchange(&driver, below((uint32_t)driver.exchange_count));
            if (!exchange->released)
                play_handler(exchange);
        }
        driver_give_back_crossed(&driver);
        driver_poll(&driver);
    }
    CHECK(all_closed());
    for (unsigned i = 0; i < PEERS; i++) {
        if (all_closed()) {
            play_client(&clients[i], i);
            check_end(&clients[i], i);
        }
        free(clients[i].text);
        free(clients[i].got);
    }
    driver.loop->context.memory.fail_from = 0;
    driver_settle(&driver);
    driver_give_back_crossed(&driver);
    driver_settle(&driver);
    CHECK_EQ(driver.shared->counters.tunnels_open, 0);
    driver_close(&driver);
}

TEST(what_is_planned_is_what_both_sides_see)
{
    const char *runs = getenv("GANNET_RUNS"), *first = getenv("GANNET_SEED");
    uint64_t from = first == NULL ? 1 : strtoull(first, NULL, 10),
             count = runs == NULL ? 1000 : strtoull(runs, NULL, 10);
    for (uint64_t run = from; run < from + count; run++) {
        unsigned before = test_failures;
        play(run * 104729);
        if (test_failures != before)
            fprintf(stderr, "with seed %llu, trouble %d\n", (unsigned long long)run, (int)trouble);
    }
}

TEST_MAIN()
