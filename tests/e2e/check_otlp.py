"""Whether standard input is an ExportTraceServiceRequest by OpenTelemetry's own schema. Run by
build/venv, where that schema is. OTLP's JSON differs from protobuf's in one thing: ids are hex."""

import base64
import json
import sys

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


def with_ids(span):
    sizes = {"traceId": 16, "spanId": 8, "parentSpanId": 8}
    for name in sizes.keys() & span.keys():
        raw = bytes.fromhex(span[name])
        assert len(raw) == sizes[name] and any(raw), f"{name} {span[name]}"
        span[name] = base64.b64encode(raw).decode()
    return span


request = json.load(sys.stdin)
for resource in request["resourceSpans"]:
    for scope in resource["scopeSpans"]:
        scope["spans"] = [with_ids(span) for span in scope["spans"]]
json_format.ParseDict(request, ExportTraceServiceRequest(), ignore_unknown_fields=False)
