"""Numbers for Prometheus and OpenTelemetry, counted from spans."""

import sqlalchemy as sa
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from guardrails.audit.metrics import Metrics
from guardrails.audit.spans import Spans


def test_prometheus_and_opentelemetry_see_turns_calls_and_tokens(engine: sa.Engine) -> None:
    reader = InMemoryMetricReader()
    metrics = Metrics({"spans_dropped": lambda: 3}, (reader,))
    metrics.watch({}, {"ledger_verified": lambda: 1.0, "not_known": lambda: None})
    spans = Spans(engine, "test", processors=[metrics])
    call = {"model": "x", "input_tokens": 7, "output_tokens": 3}
    with (
        spans.root("turn", {"verdict": "masked", "request": "<PERSON_1>"}) as root,
        root.span("LLM", "chat x", call),
    ):
        pass
    assert spans.flush()
    text = metrics.text().decode()
    assert "atelier_spans_dropped_total 3.0" in text
    assert 'atelier_turn_seconds_count{verdict="masked"} 1.0' in text
    assert 'gen_ai_client_token_usage_sum{model="x",type="input"} 7.0' in text
    assert "atelier_ledger_verified 1.0" in text
    assert "not_known" not in text
    assert "PERSON" not in text
    data = reader.get_metrics_data()
    assert data is not None
    names = {
        metric.name
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }
    assert names == {"gen_ai.client.token.usage", "gen_ai.client.operation.duration"}
    spans.close()
