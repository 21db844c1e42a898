"""Python's h2 against the server of PeerServer: client.py PORT. What is not so raises."""

import socket
import struct
import sys

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.settings

PORT = int(sys.argv[1])
WINDOW = h2.settings.SettingCodes.INITIAL_WINDOW_SIZE
ENDED = (h2.events.StreamEnded, h2.events.StreamReset, h2.events.ConnectionTerminated)


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


class Client:
    def __init__(self, window=None):
        self.socket = socket.create_connection(("127.0.0.1", PORT))
        self.socket.settimeout(20)
        configuration = h2.config.H2Configuration(client_side=True, header_encoding="utf-8")
        configuration.validate_outbound_headers = configuration.normalize_outbound_headers = False
        self.h2 = h2.connection.H2Connection(configuration)
        self.events = []
        self.h2.initiate_connection()
        if window is not None:
            self.settings(window)
            self.until(h2.events.SettingsAcknowledged)
        self.flush()

    def flush(self):
        try:
            self.socket.sendall(self.h2.data_to_send())
        except (BrokenPipeError, ConnectionResetError):
            pass  # what was said last is still to be read

    def settings(self, window):
        self.h2.update_settings({WINDOW: window})
        self.flush()

    def request(self, path, fields=(), end=True, **priority):
        stream = self.h2.get_next_available_stream_id()
        head = [(":method", "GET" if end else "POST"), (":scheme", "http"), (":authority", "h"), (":path", path)]
        self.h2.send_headers(stream, head + list(fields), end_stream=end, **priority)
        self.flush()
        return stream

    def until(self, kinds, acknowledge=True):
        """The next event of these kinds."""
        while True:
            received = self.socket.recv(65536)
            if not received:
                raise AssertionError("the server closed the connection")
            found = None
            for event in self.h2.receive_data(received):
                self.events.append(event)
                if isinstance(event, h2.events.DataReceived) and acknowledge and not event.stream_ended:
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                if found is None and isinstance(event, kinds):
                    found = event
            self.flush()
            if found is not None:
                return found

    def of(self, kind, stream):
        return [event for event in self.events if isinstance(event, kind) and event.stream_id == stream]

    def body(self, stream):
        return b"".join(event.data for event in self.of(h2.events.DataReceived, stream))

    def status(self, stream):
        return dict(self.of(h2.events.ResponseReceived, stream)[0].headers)[":status"]


def windows_that_change_midway():
    client = Client(window=1)
    stream = client.request("/hello")
    client.until(h2.events.DataReceived, acknowledge=False)
    assert client.body(stream) == b"H"
    client.settings(4)
    client.until(h2.events.DataReceived, acknowledge=False)
    assert client.body(stream) == b"Hell"
    client.settings(2)  # its window is -2 now
    client.until(h2.events.SettingsAcknowledged)
    client.h2.increment_flow_control_window(2, stream)
    client.h2.ping(b"12345678")
    client.flush()
    client.until(h2.events.PingAckReceived, acknowledge=False)
    assert client.body(stream) == b"Hell"
    client.h2.increment_flow_control_window(100, stream)
    client.flush()
    client.until(h2.events.StreamEnded, acknowledge=False)
    assert client.body(stream) == b"Hello, World!"


def padding():
    client = Client()
    stream = client.request("/echo", end=False)
    for length in (0, 1, 100, 255):
        client.h2.send_data(stream, b"x" * 50, pad_length=length)
    client.h2.end_stream(stream)
    client.flush()
    client.until(h2.events.StreamEnded)
    assert client.body(stream) == b"x" * 200


def field_blocks_in_many_frames():
    client = Client()
    client.h2.max_outbound_frame_size = 1000
    stream = client.request("/hello", [("x-%d" % i, "v" * 150) for i in range(60)])
    client.until(h2.events.StreamEnded)
    assert client.status(stream) == "200"
    stream = client.request("/hello", [("x-%d" % i, "v" * 150) for i in range(95)])
    client.until(h2.events.StreamEnded)
    assert client.status(stream) == "431"
    stream = client.request("/hello")
    client.until(h2.events.StreamEnded)
    assert client.status(stream) == "200"


def priorities():
    client = Client()
    client.socket.sendall(frame(0x10, 0, 0, struct.pack(">I", 1) + b"u=0, i") + frame(2, 0, 5, b"\0\0\0\0\7"))
    stream = client.request("/hello", priority_weight=5, priority_depends_on=0, priority_exclusive=True)
    client.until(h2.events.StreamEnded)
    assert client.body(stream) == b"Hello, World!"


def floods_end_the_connection():
    for flood in (
        lambda client: client.h2.ping(b"12345678"),
        lambda client: client.h2.update_settings({WINDOW: 65535}),
        lambda client: client.h2.reset_stream(client.request("/never"), 8),
    ):
        client = Client()
        for _ in range(3000):
            flood(client)
        client.flush()
        end = client.until(h2.events.ConnectionTerminated)
        assert end.error_code == h2.errors.ErrorCodes.ENHANCE_YOUR_CALM, end
        assert end.additional_data, "no reason"


def a_client_that_goes():
    client = Client()
    stream = client.request("/echo", end=False)
    client.socket.sendall(frame(7, 0, 0, struct.pack(">II", 0, 0)))
    client.h2.send_data(stream, b"the last one", end_stream=True)
    client.flush()
    received = b""  # h2 takes the server's GOAWAY for the end of all streams
    while part := client.socket.recv(65536):
        received += part
    assert frame(0, 0, stream, b"the last one") in received or frame(0, 1, stream, b"the last one") in received


def errors_of_a_stream_end_that_stream():
    for fields in (
        [("Upper", "x")],
        [("connection", "close")],
        [("te", "gzip")],
        [(":path", "/again")],
        [(":unknown", "x")],
        [("host", "another")],
        [("x", " space")],
        [("x", "a\nb")],
        [("a b", "x")],
    ):
        client = Client()
        stream = client.request("/hello", fields)
        end = client.until(ENDED)
        assert isinstance(end, h2.events.StreamReset) and end.error_code == 1, (fields, end)
        stream = client.request("/hello")
        client.until(h2.events.StreamEnded)
        assert client.status(stream) == "200", fields


for test in (
    windows_that_change_midway,
    padding,
    field_blocks_in_many_frames,
    priorities,
    floods_end_the_connection,
    a_client_that_goes,
    errors_of_a_stream_end_that_stream,
):
    print(test.__name__, flush=True)
    test()
print("done")
