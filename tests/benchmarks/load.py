"""As many requests as a server answers, over connections that stay open.

One thread and no HTTP library: what asks must cost less than what is asked.
"""

import selectors
import socket
from time import perf_counter


class _Client:
    def __init__(self, port: int, request: bytes) -> None:
        self._request = request
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""
        self._needed = 0

    def send(self) -> None:
        self._received, self._needed = b"", 0
        self.socket.sendall(self._request)

    def receive(self, status: bytes) -> bool:
        """Whether the answer is complete."""
        chunk = self.socket.recv(262_144)
        if not chunk:
            raise ConnectionError("The server closed the connection.")
        self._received += chunk
        if not self._needed:
            head, found, _ = self._received.partition(b"\r\n\r\n")
            if not found:
                return False
            if not head.startswith(b"HTTP/1.1 " + status):
                raise ValueError(self._received[:500].decode(errors="replace"))
            length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
            self._needed = len(head) + 4 + int(length or 0)
        return len(self._received) >= self._needed


def requests_per_second(
    port: int,
    path: str,
    headers: dict[str, str],
    *,
    seconds: float,
    connections: int = 32,
    status: int = 200,
) -> float:
    """How many of `connections` that ask at once were answered each second, all with `status`."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{lines}\r\n".encode()
    waiting = selectors.DefaultSelector()
    clients = [_Client(port, request) for _ in range(connections)]
    for client in clients:
        waiting.register(client.socket, selectors.EVENT_READ, client)
        client.send()
    answered, begun = 0, perf_counter()
    try:
        while perf_counter() - begun < seconds:
            for key, _ in waiting.select(timeout=1):
                if key.data.receive(str(status).encode()):
                    answered += 1
                    key.data.send()
        return answered / (perf_counter() - begun)
    finally:
        waiting.close()
        for client in clients:
            client.socket.close()
