"""Receives metrics over OTLP/HTTP as JSON. Each message that is one is kept: receiver.py PORT FILE"""

import http.server
import sys

from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)

port, kept = int(sys.argv[1]), sys.argv[2]
count = 0


class Receiver(http.server.BaseHTTPRequestHandler):
    """Answers as a collector does."""

    def do_POST(self):
        global count
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path != "/v1/metrics" or self.headers["content-type"] != "application/json":
            self.send_error(404 if self.path != "/v1/metrics" else 415)
            return
        try:
            # A field that the protocol does not have is an error.
            json_format.Parse(body, ExportMetricsServiceRequest())
        except json_format.ParseError as error:
            print(error, flush=True)
            self.send_error(400)
            return
        count += 1
        with open(f"{kept}.{count}", "wb") as file:
            file.write(body)
        answer = json_format.MessageToJson(ExportMetricsServiceResponse()).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *arguments):
        """Says nothing."""


http.server.HTTPServer(("127.0.0.1", port), Receiver).serve_forever()
