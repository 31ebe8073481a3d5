"""A proxy before Label Studio that spoils some writes, or dies."""

from __future__ import annotations

import threading
import time
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Faulty:
    """A proxy before Label Studio that spoils the n-th write the way it is told."""

    def __init__(self, upstream: str, fault: str, spoiled: set[int], seconds: float = 0.0) -> None:
        self.fault, self.spoiled, self.seconds = fault, spoiled, seconds
        self.writes = 0
        self.gone = False
        self.spoiling = threading.Event()
        self.late: list[threading.Thread] = []
        host, port = upstream.removeprefix("http://").split(":")
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def forward(self, body):
                there = HTTPConnection(host, int(port), timeout=60)
                kept = {
                    k: v
                    for k, v in self.headers.items()
                    if k.lower() not in {"connection", "accept-encoding"}
                }
                there.request(self.command, self.path, body, kept)
                answer = there.getresponse()
                return answer.status, answer.getheader("Content-Type") or "text/plain", answer.read()

            def reply(self, status, kind, body):
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def serve(self):
                if proxy.gone:
                    self.close_connection = True
                    return None
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                spoil = False
                if self.command == "POST" and "/import" in self.path:
                    proxy.writes += 1
                    spoil = proxy.writes in proxy.spoiled
                if not spoil:
                    return self.reply(*self.forward(body))
                self.close_connection = True
                proxy.spoiling.set()
                if proxy.fault == "502 before":
                    self.reply(502, "text/html", b"Bad Gateway")
                elif proxy.fault == "504 after":
                    self.forward(body)
                    self.reply(504, "text/html", b"Gateway Timeout")
                elif proxy.fault == "504, and the server goes on":
                    self.later(body)
                    self.reply(504, "text/html", b"Gateway Timeout")
                elif proxy.fault == "cut off after":
                    self.forward(body)
                    self.connection.close()
                elif proxy.fault == "delayed":
                    self.later(body)
                    time.sleep(proxy.seconds)
                return None

            def later(self, body):
                def send():
                    time.sleep(proxy.seconds)
                    self.forward(body)

                thread = threading.Thread(target=send)
                thread.start()
                proxy.late.append(thread)

            do_GET = do_POST = do_PATCH = do_DELETE = serve

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):  # a client that went away is what is being tested
                pass

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.gone = True
        for thread in self.late:
            thread.join()
        self.server.shutdown()
        self.server.server_close()
