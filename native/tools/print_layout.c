/*
 * Prints the Java class io.gannet.internal.Layout: every number and text that both sides of the rings share, taken from
 * the headers that define them. The build writes it beside the Java sources, so the two cannot drift.
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "conn/prepared.h"
#include "http/field_name.h"
#include "http/head_block.h"
#include "http/method.h"
#include "io/io.h"
#include "ring/record.h"
#include "ring/shared.h"

static void print_comment(const char *text)
{
    printf("\n    // %s\n", text);
}

static void print_int(const char *prefix, const char *name, size_t value)
{
    printf("    public static final int %s%s = %zu;\n", prefix, name, value);
}

static void print_camel_case(const char *name)
{
    for (const char *c = name; *c != 0; c++) {
        if (*c == '_')
            putchar(*++c);
        else
            putchar(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
    }
}

static void print_settings_name(const char *prefix, const char *name, size_t offset)
{
    printf("    public static final int %s", prefix);
    for (const char *c = name; *c != 0; c++) {
        putchar(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
    }
    printf(" = %zu;\n", offset);
}

static void print_records(void)
{
    print_comment("Kinds of events and commands, and their flags.");
#define PRINT(name, number) print_int("EVENT_", #name, number);
    GN_EVENTS(PRINT)
#undef PRINT
#define PRINT(name, number) print_int("COMMAND_", #name, number);
    GN_COMMANDS(PRINT)
#undef PRINT
#define PRINT(name, number) print_int("FLAG_", #name, number);
    GN_FLAGS(PRINT)
#undef PRINT
    print_int("", "QUEUED_SEND_CREDIT", GN_QUEUED_SEND_CREDIT);
    print_int("", "ID_SLOT_MASK", (1U << GN_ID_SLOT_BITS) - 1);
    print_int("", "ID_GENERATION_SHIFT", GN_ID_GENERATION_SHIFT);
    print_int("", "PREPARED_MAX", GN_PREPARED_MAX);

    print_comment("Records: byte offsets of their 64-bit words, and bit positions inside a word.");
    print_int("", "RECORD_BYTES", sizeof(struct gn_event));
    print_int("", "RECORD_SUBJECT", offsetof(struct gn_event, subject));
    print_int("", "RECORD_BLOCK", offsetof(struct gn_event, block));
    print_int("", "RECORD_VALUE", offsetof(struct gn_event, value));
    print_int("", "RECORD_KIND_SHIFT", 8 * offsetof(struct gn_event, kind));
    print_int("", "RECORD_FLAGS_SHIFT", 8 * offsetof(struct gn_event, flags));
    print_int("", "RECORD_REASON_SHIFT", 8 * offsetof(struct gn_event, reason));
    print_int("", "RECORD_LENGTH_SHIFT", 8 * offsetof(struct gn_event, length));
    print_int("", "COMMAND_BODY_LENGTH_SHIFT",
              8 * (offsetof(struct gn_command, body_length) - offsetof(struct gn_command, offset)));
}

/* A command's words are an event's: one set of constants serves both. */
_Static_assert(offsetof(struct gn_command, kind) == offsetof(struct gn_event, kind), "kind");
_Static_assert(offsetof(struct gn_command, flags) == offsetof(struct gn_event, flags), "flags");
_Static_assert(offsetof(struct gn_command, status) == offsetof(struct gn_event, reason), "status");
_Static_assert(offsetof(struct gn_command, length) == offsetof(struct gn_event, length), "length");
_Static_assert(offsetof(struct gn_command, subject) == offsetof(struct gn_event, subject), "subject");
_Static_assert(offsetof(struct gn_command, block) == offsetof(struct gn_event, block), "block");
_Static_assert(offsetof(struct gn_command, value) == offsetof(struct gn_event, value), "value");

static void print_staged_field(void)
{
    print_comment("An entry of staged fields.");
    print_int("STAGED_", "TOKEN", offsetof(struct gn_staged_field, token));
    print_int("STAGED_", "NAME_LENGTH", offsetof(struct gn_staged_field, name_length));
    print_int("STAGED_", "VALUE_LENGTH", offsetof(struct gn_staged_field, value_length));
    print_int("STAGED_", "BYTES", sizeof(struct gn_staged_field));
}

static void print_head_block(void)
{
    print_comment("A head block.");
#define PRINT(constant, member) print_int("HEAD_", constant, offsetof(struct gn_head_block, member))
    PRINT("METHOD", method);
    PRINT("VERSION", version);
    PRINT("FORM", form);
    PRINT("FLAGS", flags);
    PRINT("FIELD_COUNT", field_count);
    PRINT("CONTENT_LENGTH", content_length);
    PRINT("INFO", info);
    PRINT("METHOD_OFFSET", method_offset);
    PRINT("METHOD_LENGTH", method_length);
    PRINT("TARGET_OFFSET", target_offset);
    PRINT("TARGET_LENGTH", target_length);
    PRINT("PATH_OFFSET", path_offset);
    PRINT("PATH_LENGTH", path_length);
    PRINT("QUERY_OFFSET", query_offset);
    PRINT("QUERY_LENGTH", query_length);
    PRINT("AUTHORITY_OFFSET", authority_offset);
    PRINT("AUTHORITY_LENGTH", authority_length);
    PRINT("PROTOCOL_OFFSET", protocol_offset);
    PRINT("PROTOCOL_LENGTH", protocol_length);
#undef PRINT
    print_int("HEAD_", "BYTES", sizeof(struct gn_head_block));
    print_int("HEAD_FLAG_", "HTTPS", GN_HEAD_HTTPS);
    print_int("HEAD_FLAG_", "EXPECT_CONTINUE", GN_HEAD_EXPECT_CONTINUE);
    print_int("HEAD_FLAG_", "UPGRADE", GN_HEAD_UPGRADE);
    print_int("HEAD_FLAG_", "TRAILERS", GN_HEAD_TRAILERS);
    print_int("HEAD_FLAG_", "KEEP_ALIVE", GN_HEAD_KEEP_ALIVE);
    print_int("FORM_", "ORIGIN", GN_ORIGIN_FORM);
    print_int("FORM_", "ABSOLUTE", GN_ABSOLUTE_FORM);
    print_int("FORM_", "AUTHORITY", GN_AUTHORITY_FORM);
    print_int("FORM_", "ASTERISK", GN_ASTERISK_FORM);

    print_comment("A field of a head block.");
#define PRINT(constant, member) print_int("FIELD_ENTRY_", constant, offsetof(struct gn_head_field, member))
    PRINT("NAME_OFFSET", name_offset);
    PRINT("VALUE_OFFSET", value_offset);
    PRINT("VALUE_LENGTH", value_length);
    PRINT("NAME_LENGTH", name_length);
    PRINT("TOKEN", token);
#undef PRINT
    print_int("FIELD_ENTRY_", "BYTES", sizeof(struct gn_head_field));

    print_comment("What is known of a connection.");
#define PRINT(constant, member) print_int("INFO_", constant, offsetof(struct gn_connection_info, member))
    PRINT("FAMILY", family);
    PRINT("REMOTE_PORT", remote_port);
    PRINT("LOCAL_PORT", local_port);
    PRINT("REMOTE_SCOPE", remote_scope);
    PRINT("LOCAL_SCOPE", local_scope);
    PRINT("REMOTE_ADDRESS", remote_address);
    PRINT("LOCAL_ADDRESS", local_address);
#undef PRINT
    print_int("INFO_", "BYTES", sizeof(struct gn_connection_info));
}

static void print_shared(void)
{
    print_comment("The shared region: byte offsets of its 64-bit words.");
#define PRINT(name) print_settings_name("LOOP_", #name, offsetof(struct gn_shared, loop.name));
    GN_LOOP_SETTINGS(PRINT)
#undef PRINT
    print_int("", "LISTENER_SETTINGS", offsetof(struct gn_shared, listener));
    print_int("", "LISTENER_SETTINGS_BYTES", sizeof(struct gn_listener_settings));
#define PRINT(name) print_settings_name("LISTENER_", #name, offsetof(struct gn_shared, listener.name));
    GN_LISTENER_SETTINGS(PRINT)
#undef PRINT
    print_int("", "TEXT", offsetof(struct gn_shared, text));
    print_int("", "TEXT_BYTES", GN_TEXT_BYTES);
    print_int("", "COUNTERS", offsetof(struct gn_shared, counters));
    print_int("", "COUNTERS_BYTES", sizeof(struct gn_counters));
    print_int("COUNTER_", "REASONS", offsetof(struct gn_shared, counters.reasons));
#define PRINT(name) print_settings_name("COUNTER_", #name, offsetof(struct gn_shared, counters.name));
    GN_COUNTERS(PRINT)
#undef PRINT
    print_int("", "SHARED_BYTES", sizeof(struct gn_shared));
    print_int("BACKEND_", "AUTO", GN_IO_AUTO);
    print_int("BACKEND_", "IO_URING", GN_IO_URING);
    print_int("BACKEND_", "EPOLL", GN_IO_EPOLL);

    printf("\n    /** The counters' names, in their order. */\n    private static final String[] COUNTER_NAMES = {\n");
#define PRINT(name) printf("        \"%s\",\n", #name);
    GN_COUNTERS(PRINT)
#undef PRINT
    printf("    };\n");
}

static void print_reasons(void)
{
    print_comment("Why something ended or was refused.");
#define PRINT(name, number, text) print_int("REASON_", #name, number);
    GN_REASONS(PRINT)
#undef PRINT
    print_int("REASON_", "REQUEST", GN_REASON_REQUEST);
    print_int("REASON_", "CHUNKED", GN_REASON_CHUNKED);
    print_int("REASON_", "LIMIT", GN_REASON_LIMIT);
    const char *unknown = gn_reason_text(GN_REASON_LIMIT);
    printf("\n    private static final String UNKNOWN_REASON = \"%s\";\n", unknown);
    printf("\n    private static final String[] REASON_TEXTS = {\n");
    for (unsigned reason = 0; reason < GN_REASON_LIMIT; reason++) {
        const char *text = gn_reason_text(reason);
        if (strcmp(text, unknown) == 0) {
            printf("        UNKNOWN_REASON,\n");
        } else {
            printf("        \"%s\",\n", text);
        }
    }
    printf("    };\n\n    private static final String[] REASON_NAMES = {\n");
    for (unsigned reason = 0; reason < GN_REASON_LIMIT; reason++) {
        const char *name = gn_reason_name(reason);
        printf("        \"");
        print_camel_case(name == NULL ? "" : name);
        printf("\",\n");
    }
    printf("    };\n");
}

static void print_names(void)
{
    print_comment("Tokens of field names and of methods.");
#define PRINT(name, text) print_int("FIELD_", #name, GN_FIELD_##name);
    GN_FIELD_NAMES(PRINT)
#undef PRINT
#define PRINT(name) print_int("METHOD_", #name, GN_METHOD_##name);
    GN_METHODS(PRINT)
#undef PRINT
    printf("\n    private static final String[] FIELD_NAMES = {\n        \"\",\n");
#define PRINT(name, text) printf("        \"%s\",\n", text);
    GN_FIELD_NAMES(PRINT)
#undef PRINT
    printf("    };\n\n    private static final String[] METHODS = {\n        \"\",\n");
#define PRINT(name) printf("        \"%s\",\n", #name);
    GN_METHODS(PRINT)
#undef PRINT
    printf("    };\n");
    uint64_t barred = 0;
    for (unsigned token = 1; token < GN_FIELD_NAME_COUNT; token++)
        if (!gn_field_name_in_trailers((enum gn_field_name)token))
            barred |= UINT64_C(1) << token;
    printf("\n    private static final long NOT_IN_TRAILERS = 0x%" PRIx64 "L;\n", barred);
}

static void print_methods(void)
{
    printf(
        "\n    private Layout() {}\n"
        "\n    /** {@return how many counters there are} */\n"
        "    public static int counterCount() {\n        return COUNTER_NAMES.length;\n    }\n"
        "\n    /**\n     * {@return the name of a counter}\n     *\n     * @param index its word among the counters\n     */\n"
        "    public static String counterName(int index) {\n        return COUNTER_NAMES[index];\n    }\n"
        "\n    /**\n     * {@return a text for a reason}\n     *\n     * @param reason its number\n     */\n"
        "    public static String reasonText(int reason) {\n"
        "        return reason >= 0 && reason < REASON_TEXTS.length ? REASON_TEXTS[reason] : UNKNOWN_REASON;\n    }\n"
        "\n    /**\n     * {@return the name of a reason's counter; empty: the number is none}\n     *\n"
        "     * @param reason its number, 0 to REASON_LIMIT - 1\n     */\n"
        "    public static String reasonName(int reason) {\n        return REASON_NAMES[reason];\n    }\n"
        "\n    /** {@return how many field-name tokens there are, with 0, which is none} */\n"
        "    public static int fieldNameCount() {\n        return FIELD_NAMES.length;\n    }\n"
        "\n    /**\n     * {@return the lower-case name of a field}\n     *\n     * @param token its token\n     */\n"
        "    public static String fieldName(int token) {\n        return FIELD_NAMES[token];\n    }\n"
        "\n    /**\n     * {@return whether a field may stand in a trailer section (RFC 9110 section 6.5.1)}\n     *\n"
        "     * @param token its token, 0 for a name without one\n     */\n"
        "    public static boolean inTrailers(int token) {\n        return (NOT_IN_TRAILERS >> token & 1) == 0;\n    }\n"
        "\n    /** {@return how many method tokens there are, with 0, which is none} */\n"
        "    public static int methodCount() {\n        return METHODS.length;\n    }\n"
        "\n    /**\n     * {@return the name of a method}\n     *\n     * @param token its token\n     */\n"
        "    public static String method(int token) {\n        return METHODS[token];\n    }\n");
}

int main(void)
{
    printf(
        "package io.gannet.internal;\n\n"
        "/** What Java and C agree on. Printed by native/tools/print_layout.c from the C headers; not to be edited. */\n"
        "public final class Layout {\n");
    printf("    /** The version of the native library. */\n    public static final String VERSION = \"%s\";\n\n",
           GN_VERSION);
    print_int("", "ABI", GN_ABI);
    print_records();
    print_staged_field();
    print_head_block();
    print_shared();
    print_reasons();
    print_names();
    print_methods();
    printf("}\n");
    return ferror(stdout) || fflush(stdout) != 0;
}
