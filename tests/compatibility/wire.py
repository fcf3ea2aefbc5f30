"""Just enough of Kafka's wire protocol to ask a broker by hand and look at every byte."""
import socket
import struct


class Cursor:
    """Reads an answer; asking for more than there is raises struct.error."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        value, = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(form)
        return value

    def uvarint(self):
        value = shift = 0
        while True:
            byte = self.take("B")
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def raw(self, length):
        value = self.data[self.at:self.at + length]
        self.at += length
        return value

    def compact_string(self):
        return self.raw(self.uvarint() - 1).decode()

    def string(self):
        length = self.take("h")
        return None if length < 0 else self.raw(length).decode()

    def skip_tags(self):
        for _ in range(self.uvarint()):
            self.uvarint()
            self.raw(self.uvarint())


def text(value):
    return struct.pack(">h", len(value)) + value.encode()


class Wire:
    """One connection; ask() sends a request and gives a cursor behind the correlation id."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.socket.settimeout(20)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, key, version, body, flexible=False):
        head = struct.pack(">hhih", key, version, 5, -1) + (b"\0" if flexible else b"")
        self.socket.sendall(struct.pack(">i", len(head) + len(body)) + head + body)

    def answer(self):
        size = struct.unpack(">i", self.receive(4))[0]
        answer = Cursor(self.receive(size))
        assert answer.take("i") == 5
        return answer

    def ask(self, key, version, body, flexible=False):
        self.send(key, version, body, flexible)
        return self.answer()

    def receive(self, count):
        data = b""
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            if not part:
                raise ConnectionError("the broker closed the connection")
            data += part
        return data
