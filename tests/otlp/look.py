"""Looks at a message that arrived: look.py MESSAGE METRICS-URL EXPORT PAGE"""

import json
import re
import sys
import urllib.request

from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

message, url, export, page = sys.argv[1:]
with open(message, "rb") as file:
    body = file.read()
request = json_format.Parse(body, ExportMetricsServiceRequest())
(resource,) = request.resource_metrics
named = {item.key: item.value.string_value for item in resource.resource.attributes}
assert named["service.name"] == "planledger", named
(scope,) = resource.scope_metrics

points = 0
for metric in scope.metrics:
    data = getattr(metric, metric.WhichOneof("data"))
    assert metric.description and len(data.data_points) > 0, metric.name
    for point in data.data_points:
        points += 1
        assert point.time_unix_nano > 0, metric.name
        if metric.WhichOneof("data") == "histogram":
            assert len(point.bucket_counts) == len(point.explicit_bounds) + 1, metric.name
            assert sum(point.bucket_counts) == point.count, metric.name
            assert list(point.explicit_bounds) == sorted(point.explicit_bounds), metric.name
    if metric.WhichOneof("data") == "sum":
        assert data.is_monotonic and data.aggregation_temporality == 2, metric.name

arrived = {metric.name for metric in scope.metrics}
assert len(arrived) == len(scope.metrics), "a name came twice"
with urllib.request.urlopen(url) as answer:
    text = answer.read().decode()
scraped = set(re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE))
with_samples = {name for name in scraped if re.search(rf"^{name}(_bucket|_sum|_count)?[{{ ]", text, re.MULTILINE)}
assert arrived == with_samples, arrived ^ with_samples
with open(page, encoding="utf-8") as file:
    listed = set(re.findall(r"^\| `((?:planledger|process)_[a-z_]+)` \|", file.read(), re.MULTILINE))
assert arrived <= listed, arrived - listed


def strings(value):
    """Every text in a JSON value."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
    elif isinstance(value, str):
        yield value


# Whatever the ledger holds: texts and names in payloads, and every id.
held = set()
with open(export, encoding="utf-8") as file:
    for line in file:
        event = json.loads(line)
        held.update(word for word in strings(event.get("payload")) if len(word) > 5)
        held.update(re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", line))
assert len(held) > 100, len(held)
told = body.decode()
decoded = json.dumps(json.loads(told), ensure_ascii=False)
found = sorted(word for word in held if word in told or word in decoded)
assert not found, found
print(f"{len(arrived)} metrics with {points} points arrived, as Prometheus gets them and as the page lists them;")
print(f"none of {len(held)} texts, names and ids of the ledger is among them")
