package io.gannet.internal;

import io.gannet.CloseReason;
import io.gannet.Http2Error;
import io.gannet.HttpException;

/** What C's reasons are in Java. */
final class Reasons {
    private Reasons() {}

    static HttpException exception(int reason) {
        return exception(reason, Http2Error.INTERNAL_ERROR.code());
    }

    /** With the code of RST_STREAM, where that is the reason. */
    static HttpException exception(int reason, int code) {
        if (reason == Layout.REASON_STREAM_RESET) {
            Http2Error error = Http2Error.of(Integer.toUnsignedLong(code));
            String known = error.code() == code ? error.name() : "code " + Integer.toUnsignedString(code);
            return new HttpException(error, status(reason), text(reason) + ": " + known, null);
        }
        return new HttpException(kind(reason), status(reason), text(reason), null);
    }

    static CloseReason closeReason(int reason) {
        // C says SHUTDOWN of every connection that this side closes while it is idle.
        int told = reason == Layout.REASON_SHUTDOWN ? Layout.REASON_CLOSED_HERE : reason;
        return new CloseReason(closeKind(told), text(told));
    }

    private static String text(int reason) {
        return reason == Layout.REASON_NONE ? "the connection has ended" : Layout.reasonText(reason);
    }

    private static CloseReason.Kind closeKind(int reason) {
        return switch (reason) {
            case Layout.REASON_PEER_CLOSED,
                    Layout.REASON_PEER_RESET,
                    Layout.REASON_HEAD_CUT,
                    Layout.REASON_BODY_CUT,
                    Layout.REASON_INPUT_OUTPUT,
                    Layout.REASON_STREAM_CLOSED,
                    Layout.REASON_HTTP_2_ERROR,
                    Layout.REASON_FRAME_SIZE,
                    Layout.REASON_FLOW_CONTROL,
                    Layout.REASON_COMPRESSION -> CloseReason.Kind.BROKEN;
            case Layout.REASON_ABORTED, Layout.REASON_RESPONSE_CUT -> CloseReason.Kind.ABORTED;
            case Layout.REASON_OUT_OF_MEMORY,
                    Layout.REASON_LINGER_TOO_LARGE,
                    Layout.REASON_RESET_FLOOD,
                    Layout.REASON_PROVOKED_RESET_FLOOD,
                    Layout.REASON_CONTINUATION_FLOOD,
                    Layout.REASON_CONTROL_FLOOD -> CloseReason.Kind.LIMIT;
            default -> isTimeout(reason) ? CloseReason.Kind.TIMEOUT : CloseReason.Kind.CLOSED;
        };
    }

    private static boolean isTimeout(int reason) {
        return switch (reason) {
            case Layout.REASON_FIRST_BYTE_TIMEOUT,
                    Layout.REASON_HEAD_TIMEOUT,
                    Layout.REASON_IDLE_TIMEOUT,
                    Layout.REASON_BODY_TIMEOUT,
                    Layout.REASON_WRITE_TIMEOUT,
                    Layout.REASON_LINGER_TIMEOUT,
                    Layout.REASON_TUNNEL_TIMEOUT,
                    Layout.REASON_SETTINGS_TIMEOUT,
                    Layout.REASON_PING_TIMEOUT,
                    Layout.REASON_WINDOW_TIMEOUT -> true;
            default -> false;
        };
    }

    static HttpException bodyNotRead() {
        return new HttpException(
                HttpException.Kind.RESET, 500, "the response was sent before the request body was read", null);
    }

    private static HttpException.Kind kind(int reason) {
        if (reason >= Layout.REASON_REQUEST) {
            return HttpException.Kind.PARSE;
        }
        if (isTimeout(reason)) {
            return HttpException.Kind.TIMEOUT;
        }
        return switch (reason) {
            case Layout.REASON_OUT_OF_MEMORY,
                    Layout.REASON_BODY_TOO_LARGE,
                    Layout.REASON_TRAILERS_TOO_LARGE,
                    Layout.REASON_LINGER_TOO_LARGE,
                    Layout.REASON_STREAM_REFUSED,
                    Layout.REASON_FIELD_LIST_TOO_LARGE,
                    Layout.REASON_RESET_FLOOD,
                    Layout.REASON_PROVOKED_RESET_FLOOD,
                    Layout.REASON_CONTINUATION_FLOOD,
                    Layout.REASON_CONTROL_FLOOD -> HttpException.Kind.LIMIT;
            case Layout.REASON_ABORTED,
                    Layout.REASON_SHUTDOWN,
                    Layout.REASON_RESPONSE_CUT,
                    Layout.REASON_STREAM_RESET,
                    Layout.REASON_GOING_AWAY -> HttpException.Kind.RESET;
            case Layout.REASON_UNKNOWN_EXPECTATION,
                    Layout.REASON_CONNECT_REFUSED,
                    Layout.REASON_STREAM_CLOSED,
                    Layout.REASON_HTTP_2_ERROR,
                    Layout.REASON_FRAME_SIZE,
                    Layout.REASON_FLOW_CONTROL,
                    Layout.REASON_COMPRESSION,
                    Layout.REASON_MALFORMED_MESSAGE,
                    Layout.REASON_LENGTH_MISMATCH -> HttpException.Kind.PARSE;
            default -> HttpException.Kind.CLOSED;
        };
    }

    private static int status(int reason) {
        if (reason >= Layout.REASON_REQUEST) {
            return 400;
        }
        return switch (reason) {
            case Layout.REASON_BODY_TIMEOUT, Layout.REASON_HEAD_TIMEOUT, Layout.REASON_FIRST_BYTE_TIMEOUT -> 408;
            case Layout.REASON_BODY_TOO_LARGE -> 413;
            case Layout.REASON_FIELD_LIST_TOO_LARGE -> 431;
            case Layout.REASON_OUT_OF_MEMORY,
                    Layout.REASON_SHUTDOWN,
                    Layout.REASON_STREAM_REFUSED,
                    Layout.REASON_GOING_AWAY -> 503;
            case Layout.REASON_PEER_CLOSED,
                    Layout.REASON_PEER_RESET,
                    Layout.REASON_BODY_CUT,
                    Layout.REASON_TRAILERS_TOO_LARGE,
                    Layout.REASON_LINGER_TOO_LARGE,
                    Layout.REASON_STREAM_RESET,
                    Layout.REASON_STREAM_CLOSED,
                    Layout.REASON_HTTP_2_ERROR,
                    Layout.REASON_FRAME_SIZE,
                    Layout.REASON_FLOW_CONTROL,
                    Layout.REASON_COMPRESSION,
                    Layout.REASON_MALFORMED_MESSAGE,
                    Layout.REASON_LENGTH_MISMATCH,
                    Layout.REASON_RESET_FLOOD,
                    Layout.REASON_PROVOKED_RESET_FLOOD,
                    Layout.REASON_CONTINUATION_FLOOD,
                    Layout.REASON_CONTROL_FLOOD -> 400;
            default -> 500;
        };
    }
}
