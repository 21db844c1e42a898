package io.gannet.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.gannet.CloseReason;
import io.gannet.Http2Error;
import io.gannet.HttpException;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What an application is told of the core's reasons that HTTP/2 has. */
class ReasonsTest {
    private static int number(String name) throws ReflectiveOperationException {
        return Layout.class.getField("REASON_" + name).getInt(null);
    }

    @ParameterizedTest
    @CsvSource({
        "STREAM_REFUSED, LIMIT, 503, CLOSED",
        "STREAM_CLOSED, PARSE, 400, BROKEN",
        "HTTP_2_ERROR, PARSE, 400, BROKEN",
        "FRAME_SIZE, PARSE, 400, BROKEN",
        "FLOW_CONTROL, PARSE, 400, BROKEN",
        "COMPRESSION, PARSE, 400, BROKEN",
        "FIELD_LIST_TOO_LARGE, LIMIT, 431, CLOSED",
        "MALFORMED_MESSAGE, PARSE, 400, CLOSED",
        "LENGTH_MISMATCH, PARSE, 400, CLOSED",
        "RESET_FLOOD, LIMIT, 400, LIMIT",
        "PROVOKED_RESET_FLOOD, LIMIT, 400, LIMIT",
        "CONTINUATION_FLOOD, LIMIT, 400, LIMIT",
        "CONTROL_FLOOD, LIMIT, 400, LIMIT",
        "SETTINGS_TIMEOUT, TIMEOUT, 500, TIMEOUT",
        "PING_TIMEOUT, TIMEOUT, 500, TIMEOUT",
        "WINDOW_TIMEOUT, TIMEOUT, 500, TIMEOUT",
        "GOING_AWAY, RESET, 503, CLOSED"
    })
    void kinds(String name, HttpException.Kind kind, int status, CloseReason.Kind ofConnection) throws Exception {
        HttpException told = Reasons.exception(number(name));
        assertEquals(kind, told.kind());
        assertEquals(status, told.status());
        assertNull(told.http2Error());
        assertEquals(ofConnection, Reasons.closeReason(number(name)).kind());
        assertEquals(told.getMessage(), Reasons.closeReason(number(name)).text());
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("a reset by the peer is told with its code")
    void resetByThePeer(Http2Error error) {
        HttpException told = Reasons.exception(Layout.REASON_STREAM_RESET, error.code());
        assertEquals(HttpException.Kind.RESET, told.kind());
        assertSame(error, told.http2Error());
        assertTrue(told.getMessage().endsWith(": " + error), told.getMessage());
        assertTrue(told.status() < 500, "it is no failure of the handler");
    }

    @Test
    @DisplayName("a code that nobody knows counts as INTERNAL_ERROR, and is named")
    void unknownCode() {
        HttpException told = Reasons.exception(Layout.REASON_STREAM_RESET, -2);
        assertSame(Http2Error.INTERNAL_ERROR, told.http2Error());
        assertTrue(told.getMessage().endsWith(": code 4294967294"), told.getMessage());
    }

    @Test
    @DisplayName("the codes are those of RFC 9113 section 7")
    void codes() {
        assertEquals(0, Http2Error.NO_ERROR.code());
        assertEquals(7, Http2Error.REFUSED_STREAM.code());
        assertEquals(8, Http2Error.CANCEL.code());
        assertEquals(11, Http2Error.ENHANCE_YOUR_CALM.code());
        assertEquals(13, Http2Error.HTTP_1_1_REQUIRED.code());
        for (Http2Error error : Http2Error.values()) {
            assertSame(error, Http2Error.of(error.code()));
        }
        assertNotNull(Http2Error.of(-1));
    }
}
