package io.gannet.behaviour;

import java.util.List;

/** What a server makes of the bytes of a connection: the whole requests, and how it ended. Strings are bytes, one a char. */
record Reading(List<Message> requests, End end) {
    /** A request with all of its body. */
    record Message(String method, String target, String body) {
        @Override
        public String toString() {
            return method + " " + new Wire(target) + (body.isEmpty() ? "" : " \"" + new Wire(body) + '"');
        }
    }

    enum End {
        /** Nothing is left to read, or nothing is to be read behind a request that ends the connection. */
        DONE,
        /** Something was refused. */
        REFUSED,
        /** More bytes would have to come. */
        CUT
    }

    @Override
    public String toString() {
        return requests + " " + end;
    }
}
