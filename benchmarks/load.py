"""Posts ready-made requests over keep-alive connections, as fast as they are answered: a process of its own.

    python -m benchmarks.load PORT FILE CONNECTIONS SECONDS

FILE holds requests, each after its length in four bytes. Each is posted once; it ends with the file, or after SECONDS.
Prints one JSON line: how many were answered, in which time, with which statuses, and the 99th percentile in ms.
"""

import json
import selectors
import socket
import sys
import time
from collections import Counter
from pathlib import Path


def write(path, requests):
    Path(path).write_bytes(b"".join(len(request).to_bytes(4) + request for request in requests))


def read(path):
    data, at, found = Path(path).read_bytes(), 0, []
    while at < len(data):
        size = int.from_bytes(data[at : at + 4])
        found.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return found


def post(path, body, host="bench"):
    return (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: bench\r\nAccept: */*\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def complete(answer):
    """Whether all of an answer has come; every server here gives it a length."""
    head, found, rest = answer.partition(b"\r\n\r\n")
    if not found:
        return False
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return len(rest) >= int(line.split(b":")[1])
    return True


def run(port, requests, connections, seconds):
    selector, times, statuses = selectors.DefaultSelector(), [], Counter()
    todo = iter(requests)
    clock = time.perf_counter
    until = clock() + seconds

    def next_one(state):
        request = next(todo, None) if clock() < until else None
        if request is None:
            selector.unregister(state[0])
            state[0].close()
            return 0
        state[1], state[2] = clock(), b""
        state[0].sendall(request)
        return 1

    started, open_ones = clock(), 0
    for _ in range(connections):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        state = [sock, 0.0, b""]
        selector.register(sock, selectors.EVENT_READ, state)
        open_ones += next_one(state)
    while open_ones:
        ready = selector.select(30)
        if not ready:
            raise TimeoutError("The server has not answered for 30 s.")
        for key, _ in ready:
            state = key.data
            piece = state[0].recv(65536)
            if not piece:
                raise ConnectionError("The server closed a connection.")
            state[2] += piece
            if complete(state[2]):
                times.append(clock() - state[1])
                statuses[state[2][9:12].decode()] += 1
                open_ones += next_one(state) - 1
    spent = clock() - started
    times.sort()
    p99 = times[int(len(times) * 0.99)] * 1000
    return {"answered": len(times), "seconds": spent, "statuses": statuses, "p99_ms": round(p99, 1)}


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]), read(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))))
