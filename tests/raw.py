"""A server of raw sockets: it answers, breaks off or resets as a test says, and notes every request it reads."""

import socket
import struct
import threading


class Server:
    """Listens on loopback and gives each connection to ``serve(connection, server)``; notes every request it reads."""

    def __init__(self, serve, wrap=lambda connection: connection):
        self.requests, self.connections = [], 0
        self._serve, self._wrap = serve, wrap
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._one, args=[connection], daemon=True).start()

    def _one(self, connection):
        try:
            with self._wrap(connection) as wrapped:
                self._serve(wrapped, self)
        except OSError:
            pass

    def read(self, connection):
        """One whole request; noted, and returned, also when it breaks off. Empty when the client has closed."""
        data = b""
        while b"\r\n\r\n" not in data or len(data) < self._length(data):
            more = connection.recv(65536)
            if not more:
                break
            data += more
        if data:
            self.requests.append(data)
        return data

    @staticmethod
    def _length(data):
        head, _, _ = data.partition(b"\r\n\r\n")
        lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        return len(head) + 4 + int(lengths[0] if lengths else 0)

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def answering(*parts):
    """A handler that answers every request of a connection with these bytes."""

    def handler(connection, server):
        while server.read(connection):
            for part in parts:
                connection.sendall(part)

    return handler


def closing(*parts):
    """A handler that answers one request with these bytes and closes."""

    def handler(connection, server):
        server.read(connection)
        for part in parts:
            connection.sendall(part)

    return handler


def reset(connection):
    """Close so that the peer gets RST and not FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
