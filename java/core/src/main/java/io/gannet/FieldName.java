package io.gannet;

import io.gannet.internal.EncodedName;
import java.util.Objects;

/**
 * The name of a field (RFC 9110 section 5.1), checked once and ready to be looked up and sent. Two names that differ in
 * nothing but case are equal. Immutable.
 */
public sealed interface FieldName permits EncodedName {
    /** {@code accept} (RFC 9110 section 12.5.1). */
    FieldName ACCEPT = EncodedName.of("accept");

    /** {@code accept-encoding} (RFC 9110 section 12.5.3). */
    FieldName ACCEPT_ENCODING = EncodedName.of("accept-encoding");

    /** {@code accept-language} (RFC 9110 section 12.5.4). */
    FieldName ACCEPT_LANGUAGE = EncodedName.of("accept-language");

    /** {@code accept-ranges} (RFC 9110 section 14.3). */
    FieldName ACCEPT_RANGES = EncodedName.of("accept-ranges");

    /** {@code access-control-allow-origin} (the Fetch standard). */
    FieldName ACCESS_CONTROL_ALLOW_ORIGIN = EncodedName.of("access-control-allow-origin");

    /** {@code age} (RFC 9111 section 5.1). */
    FieldName AGE = EncodedName.of("age");

    /** {@code allow} (RFC 9110 section 10.2.1). */
    FieldName ALLOW = EncodedName.of("allow");

    /** {@code authorization} (RFC 9110 section 11.6.2). */
    FieldName AUTHORIZATION = EncodedName.of("authorization");

    /** {@code cache-control} (RFC 9111 section 5.2). */
    FieldName CACHE_CONTROL = EncodedName.of("cache-control");

    /** {@code connection} (RFC 9110 section 7.6.1). */
    FieldName CONNECTION = EncodedName.of("connection");

    /** {@code content-disposition} (RFC 6266). */
    FieldName CONTENT_DISPOSITION = EncodedName.of("content-disposition");

    /** {@code content-encoding} (RFC 9110 section 8.4). */
    FieldName CONTENT_ENCODING = EncodedName.of("content-encoding");

    /** {@code content-language} (RFC 9110 section 8.5). */
    FieldName CONTENT_LANGUAGE = EncodedName.of("content-language");

    /** {@code content-length} (RFC 9110 section 8.6). */
    FieldName CONTENT_LENGTH = EncodedName.of("content-length");

    /** {@code content-location} (RFC 9110 section 8.7). */
    FieldName CONTENT_LOCATION = EncodedName.of("content-location");

    /** {@code content-range} (RFC 9110 section 14.4). */
    FieldName CONTENT_RANGE = EncodedName.of("content-range");

    /** {@code content-type} (RFC 9110 section 8.3). */
    FieldName CONTENT_TYPE = EncodedName.of("content-type");

    /** {@code cookie} (RFC 6265 section 4.2). */
    FieldName COOKIE = EncodedName.of("cookie");

    /** {@code date} (RFC 9110 section 6.6.1). */
    FieldName DATE = EncodedName.of("date");

    /** {@code etag} (RFC 9110 section 8.8.3). */
    FieldName ETAG = EncodedName.of("etag");

    /** {@code expect} (RFC 9110 section 10.1.1). */
    FieldName EXPECT = EncodedName.of("expect");

    /** {@code expires} (RFC 9111 section 5.3). */
    FieldName EXPIRES = EncodedName.of("expires");

    /** {@code forwarded} (RFC 7239). */
    FieldName FORWARDED = EncodedName.of("forwarded");

    /** {@code from} (RFC 9110 section 10.1.2). */
    FieldName FROM = EncodedName.of("from");

    /** {@code host} (RFC 9110 section 7.2). */
    FieldName HOST = EncodedName.of("host");

    /** {@code http2-settings} (RFC 7540 section 3.2.1). */
    FieldName HTTP2_SETTINGS = EncodedName.of("http2-settings");

    /** {@code if-match} (RFC 9110 section 13.1.1). */
    FieldName IF_MATCH = EncodedName.of("if-match");

    /** {@code if-modified-since} (RFC 9110 section 13.1.3). */
    FieldName IF_MODIFIED_SINCE = EncodedName.of("if-modified-since");

    /** {@code if-none-match} (RFC 9110 section 13.1.2). */
    FieldName IF_NONE_MATCH = EncodedName.of("if-none-match");

    /** {@code if-range} (RFC 9110 section 13.1.5). */
    FieldName IF_RANGE = EncodedName.of("if-range");

    /** {@code if-unmodified-since} (RFC 9110 section 13.1.4). */
    FieldName IF_UNMODIFIED_SINCE = EncodedName.of("if-unmodified-since");

    /** {@code keep-alive} (RFC 2068 section 19.7.1.1). */
    FieldName KEEP_ALIVE = EncodedName.of("keep-alive");

    /** {@code last-modified} (RFC 9110 section 8.8.2). */
    FieldName LAST_MODIFIED = EncodedName.of("last-modified");

    /** {@code link} (RFC 8288). */
    FieldName LINK = EncodedName.of("link");

    /** {@code location} (RFC 9110 section 10.2.2). */
    FieldName LOCATION = EncodedName.of("location");

    /** {@code max-forwards} (RFC 9110 section 7.6.2). */
    FieldName MAX_FORWARDS = EncodedName.of("max-forwards");

    /** {@code origin} (RFC 6454 section 7). */
    FieldName ORIGIN = EncodedName.of("origin");

    /** {@code pragma} (RFC 9111 section 5.4). */
    FieldName PRAGMA = EncodedName.of("pragma");

    /** {@code priority} (RFC 9218). */
    FieldName PRIORITY = EncodedName.of("priority");

    /** {@code proxy-authenticate} (RFC 9110 section 11.7.1). */
    FieldName PROXY_AUTHENTICATE = EncodedName.of("proxy-authenticate");

    /** {@code proxy-authorization} (RFC 9110 section 11.7.2). */
    FieldName PROXY_AUTHORIZATION = EncodedName.of("proxy-authorization");

    /** {@code proxy-connection} (RFC 9112 appendix C.2.2). */
    FieldName PROXY_CONNECTION = EncodedName.of("proxy-connection");

    /** {@code range} (RFC 9110 section 14.2). */
    FieldName RANGE = EncodedName.of("range");

    /** {@code referer} (RFC 9110 section 10.1.3). */
    FieldName REFERER = EncodedName.of("referer");

    /** {@code retry-after} (RFC 9110 section 10.2.3). */
    FieldName RETRY_AFTER = EncodedName.of("retry-after");

    /** {@code server} (RFC 9110 section 10.2.4). */
    FieldName SERVER = EncodedName.of("server");

    /** {@code set-cookie} (RFC 6265 section 4.1). */
    FieldName SET_COOKIE = EncodedName.of("set-cookie");

    /** {@code strict-transport-security} (RFC 6797). */
    FieldName STRICT_TRANSPORT_SECURITY = EncodedName.of("strict-transport-security");

    /** {@code te} (RFC 9110 section 10.1.4). */
    FieldName TE = EncodedName.of("te");

    /** {@code trailer} (RFC 9110 section 6.6.2). */
    FieldName TRAILER = EncodedName.of("trailer");

    /** {@code transfer-encoding} (RFC 9112 section 6.1). */
    FieldName TRANSFER_ENCODING = EncodedName.of("transfer-encoding");

    /** {@code upgrade} (RFC 9110 section 7.8). */
    FieldName UPGRADE = EncodedName.of("upgrade");

    /** {@code user-agent} (RFC 9110 section 10.1.5). */
    FieldName USER_AGENT = EncodedName.of("user-agent");

    /** {@code vary} (RFC 9110 section 12.5.5). */
    FieldName VARY = EncodedName.of("vary");

    /** {@code via} (RFC 9110 section 7.6.3). */
    FieldName VIA = EncodedName.of("via");

    /** {@code www-authenticate} (RFC 9110 section 11.6.1). */
    FieldName WWW_AUTHENTICATE = EncodedName.of("www-authenticate");

    /** {@code x-forwarded-for}, by convention. */
    FieldName X_FORWARDED_FOR = EncodedName.of("x-forwarded-for");

    /** {@code x-forwarded-proto}, by convention. */
    FieldName X_FORWARDED_PROTO = EncodedName.of("x-forwarded-proto");

    /** {@code x-request-id}, by convention. */
    FieldName X_REQUEST_ID = EncodedName.of("x-request-id");

    /**
     * A name of a field.
     *
     * @param name the name, a token (RFC 9110 section 5.6.2), in the case in which it is to be sent
     * @return the name
     * @throws IllegalArgumentException if it is not a token
     */
    static FieldName of(String name) {
        return EncodedName.of(Objects.requireNonNull(name, "name"));
    }

    /** The name, in the case in which it is sent. */
    @Override
    String toString();
}
