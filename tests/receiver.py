"""Somebody else's system that is told by webhooks: a real server that checks each request with the receivers' own library."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks.webhooks import Webhook


class Receiver:
    """An HTTP server that keeps what it is sent and answers as the test says."""

    def __init__(self):
        self.got, self.status, self.body, self.headers, self.delay = [], 200, b"thanks", {}, 0.0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((self.path, dict(self.headers), body))
                time.sleep(receiver.delay)
                status = receiver.status(len(receiver.got)) if callable(receiver.status) else receiver.status
                self.send_response(status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(receiver.body)))
                self.end_headers()
                try:
                    self.wfile.write(receiver.body)
                except OSError:
                    pass  # whoever sends webhooks reads only the beginning

            do_GET = do_POST

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def verified(self, secret, i=-1):
        """The payload of a request, as the receivers' library gives it; raises when the signature is wrong."""
        _, headers, body = self.got[i]
        return Webhook(secret).verify(body, {name.lower(): value for name, value in headers.items()})

    def ids(self):
        return [{name.lower(): value for name, value in headers.items()}["webhook-id"] for _, headers, _ in self.got]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
