/*
 * What Java does in a program of h2_connection_fuzz.c: an answer to each request, by every command in every order that it
 * may, chosen by the input. Its books say what a client may see of it.
 */
#ifndef GN_FUZZ_H2_JAVA_H
#define GN_FUZZ_H2_JAVA_H

#define DRIVER_STAGING 65536U
#define DRIVER_COMMANDS 64U
#define DRIVER_EVENTS 64U
#define DRIVER_EVENTS_MAX 64U
#include "h2_client.h"
#include "loop/hostile.h"

#define EXCHANGES_MAX 128U
#define KEPT 2U
#define SAID_MAX 60000U
#define FIRST_MAX 4096U

struct answer {
    const struct driver_exchange *exchange;
    unsigned client; /* or CLIENTS: none of them knows it */
    uint32_t stream;
    uint16_t status;
    bool begun, finished, broken, tunnel, empty, sized, trailers, notify, asked;
    uint32_t code; /* with which Java broke it off */
    size_t length, said;
};

static struct driver driver;
static struct fuzz_input input;
static struct answer answers[EXCHANGES_MAX];
static size_t answer_count;
static uint64_t kept_ids[KEPT];
static const size_t kept_lengths[KEPT] = {5, 20000};
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

/* Sizes of all magnitudes out of two octets. */
static uint32_t size_below(uint32_t limit)
{
    uint32_t bits = below(32), value = below(256) << bits >> 8 | (bits > 8 ? 1U << (bits - 1) : 0);
    return value % limit;
}

static void fill(uint8_t *to, size_t number, size_t from, size_t length)
{
    for (size_t i = 0; i < length; i++)
        to[i] = client_octet(number, from + i);
}
static size_t number_of(const struct answer *answer)
{
    return (size_t)(answer - answers);
}

static size_t credit_of(const struct driver_exchange *exchange, const struct answer *answer)
{
    uint64_t first = driver.shared->listener.stream_send_credit;
    if (exchange->queued && first > GN_QUEUED_SEND_CREDIT)
        first = GN_QUEUED_SEND_CREDIT;
    HOLDS(exchange->credits <= answer->said + driver.shared->listener.stream_send_credit - first);
    return answer->said > first + exchange->credits ? 0 : (size_t)(first + exchange->credits - answer->said);
}

static struct driver_staged staged_id(size_t number)
{
    struct driver_staged staged = {.length = 0};
    char id[32];
    sprintf(id, "%zu", number);
    driver_field(&staged, 0, "x-id", id);
    return staged;
}

/* The last record of what it says, which may release as well. */
static void say_last(struct driver_exchange *exchange, struct answer *answer, struct gn_command command,
                     const struct driver_staged *staged, const void *body, size_t length)
{
    answer->finished = true;
    driver_say_last(&driver, exchange, !answer->notify && !answer->tunnel && one_in(2), command, staged, body, length);
}

static void begin_answer(struct driver_exchange *exchange, struct answer *answer)
{
    static const uint16_t statuses[] = {200, 404, 204, 205, 304, 500};
    static uint8_t bytes[SAID_MAX + 1];
    bool connect = exchange->method == GN_METHOD_CONNECT;
    unsigned way = below(5);
    struct driver_staged staged = staged_id(number_of(answer));
    struct gn_command command = {.kind = GN_COMMAND_RESPOND, .value = -1};
    answer->begun = true;
    answer->length = size_below(SAID_MAX);
    if (connect && way == 4) {
        answer->status = 200;
        answer->tunnel = true;
        exchange->ended = false; // what the client sends now is the tunnel's
        command.status = 200;
        driver_say(&driver, exchange, command, &staged, "");
        return;
    }
    answer->status = connect ? 404 : statuses[below(6)];
    answer->notify = one_in(4);
    answer->empty =
        exchange->method == GN_METHOD_HEAD || answer->status == 204 || answer->status == 205 || answer->status == 304;
    command.status = answer->status;
    command.flags = answer->notify ? GN_FLAG_NOTIFY : 0;
    if (one_in(16)) // fields that take several frames
        for (unsigned i = 0; i < 60; i++)
            driver_field(&staged, 0, "x-more", "a value that does not become much shorter {}{}{}");
    if (way == 3 && !connect && exchange->method != GN_METHOD_HEAD) {
        unsigned kept = below(KEPT);
        answer->status = 200;
        answer->empty = false;
        answer->length = answer->said = kept_lengths[kept];
        command = (struct gn_command){.kind = GN_COMMAND_PREPARED, .flags = command.flags, .block = kept_ids[kept]};
        say_last(exchange, answer, command, &staged, NULL, 0);
    } else if (way == 0) {
        fill(bytes, number_of(answer), 0, answer->length);
        command.flags |= GN_FLAG_END;
        answer->said = answer->length;
        say_last(exchange, answer, command, &staged, bytes, answer->length);
    } else {
        answer->sized = way == 1;
        answer->trailers = !answer->sized && one_in(3);
        command.value = answer->sized ? (int64_t)answer->length : -1;
        if (one_in(2)) { // its first octets come with it
            size_t credit = credit_of(exchange, answer);
            answer->said = answer->length < credit ? answer->length : credit;
            answer->said = answer->said < FIRST_MAX ? answer->said : FIRST_MAX;
            fill(bytes, number_of(answer), 0, answer->said);
        }
        bytes[answer->said] = '\0';
        driver_say(&driver, exchange, command, &staged, (const char *)bytes);
    }
}

static void go_on(struct driver_exchange *exchange, struct answer *answer, size_t most)
{
    static uint8_t bytes[SAID_MAX];
    size_t span = answer->length - answer->said, credit = credit_of(exchange, answer);
    span = span < most ? span : most;
    span = span < credit ? span : credit;
    bool ends = answer->said + span == answer->length;
    struct driver_staged staged = {.length = 0};
    fill(bytes, number_of(answer), answer->said, span);
    answer->said += span;
    if (ends && !answer->trailers && one_in(2)) { // the end comes with the last octets
        say_last(exchange, answer, (struct gn_command){.kind = GN_COMMAND_DATA, .flags = GN_FLAG_END}, &staged, bytes,
                 span);
        return;
    }
    if (span > 0)
        driver_data(&driver, exchange, 0, bytes, span);
    if (!ends)
        return;
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
    if (!answer->finished) {
        answer->broken = true;
        answer->code = GN_H2_INTERNAL_ERROR;
    }
    driver_release(&driver, exchange);
}

static void break_off(struct driver_exchange *exchange, struct answer *answer, uint32_t code)
{
    answer->finished = answer->broken = true;
    answer->code = code == GN_H2_NO_ERROR ? GN_H2_INTERNAL_ERROR : code;
    driver_command(&driver,
                   (struct gn_command){.kind = GN_COMMAND_RESET, .subject = exchange->id, .value = (int64_t)code});
}

/* One thing that a handler may do. */
static void play_handler(void)
{
    size_t count = answer_count, back = below(16);
    if (count == 0)
        return;
    size_t number = back < count ? count - 1 - back : 0;
    struct driver_exchange *exchange = driver_exchange(&driver, number);
    struct answer *answer = &answers[number];
    if (exchange->released)
        return;
    HOLDS(exchange->resets <= 1 && exchange->sents <= 1);
    if (exchange->resets > 0) {
        if (!one_in(4)) // it may stay with Java, too, and what it says then is ignored
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
            go_on(exchange, answer, size_below(20000));
        break;
    case 3:
        if (exchange->block_count > 0)
            driver_credit(&driver, exchange);
        break;
    case 4:
        if (!answer->begun) {
            struct driver_staged staged = staged_id(number);
            driver_interim(&driver, exchange, 103, &staged);
        }
        break;
    case 5:
        if (!answer->asked)
            driver_ask(&driver, exchange, driver.shared->listener.receive_credit);
        answer->asked = true;
        break;
    case 6:
        if (!answer->finished)
            break_off(exchange, answer, below(16));
        break;
    default:
        let_go(exchange, answer);
        break;
    }
}

static void keep(unsigned kept, bool again)
{
    static uint8_t body[SAID_MAX];
    if (again)
        driver_forget(&driver, kept_ids[kept]);
    struct driver_staged staged = staged_id(EXCHANGES_MAX + kept);
    fill(body, EXCHANGES_MAX + kept, 0, kept_lengths[kept]);
    kept_ids[kept] = gn_id(kept * 20, gn_id_generation(kept_ids[kept]) + 1);
    driver_keep(&driver, kept_ids[kept], (struct gn_command){.value = (int64_t)kept_lengths[kept]}, &staged, body,
                kept_lengths[kept]);
}

#endif
