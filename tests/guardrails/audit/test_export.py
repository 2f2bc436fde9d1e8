"""What leaves the record is valid for its reader, and carries the chain with it."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
import sqlalchemy as sa

from guardrails.audit import export
from guardrails.audit.chain import GENESIS
from guardrails.audit.ledger import Act, Ledger
from guardrails.audit.search import Traces
from guardrails.audit.spans import Spans
from guardrails.keys import Keys

# OCSF 1.9.0's own object definitions and the API Activity class with the profiles ai_operation and
# record_integrity; objects that we never write are cut short
SCHEMA = Path(__file__).with_name("ocsf-1.9.0-api-activity.schema.json")


@pytest.fixture
def recorded(engine: sa.Engine, keys: Keys) -> Iterator[sa.Engine]:
    ledger, spans = Ledger(engine, keys), Spans(engine, "test")
    with spans.root("invoke_agent hr", {"agent": "hr", "model": "practice", "tokens": 12}) as root:
        root.set(request='=HYPERLINK("http://x")', person="p_0123456789", model_kind="practice")
        intent = ledger.intent(
            Act("model.call", "alice", "hr", "1.0.0", "c1", root.trace_id, rule="MD-01")
        )
        ledger.outcome(intent, "allow", {"tokens": 12})
    ledger.record(Act("signin", "alice", verdict="deny"))
    spans.close()
    ledger.close()
    yield engine


def test_ocsf_lines_are_valid_for_version_1_9(recorded: sa.Engine) -> None:
    validator = jsonschema.Draft7Validator(json.loads(SCHEMA.read_text("utf-8")))
    events = [json.loads(line) for line in export.ocsf(recorded)]
    assert len(events) == 3
    for event in events:
        assert not list(validator.iter_errors(event))
    assert events[0]["metadata"]["profiles"] == ["ai_operation", "record_integrity"]
    assert events[0]["ai_agent"]["ai_model"]["name"] == "practice"
    assert events[0]["message_context"]["total_tokens"] == 12


def test_the_schema_refuses_what_ocsf_does_not_know(recorded: sa.Engine) -> None:
    validator = jsonschema.Draft7Validator(json.loads(SCHEMA.read_text("utf-8")))
    event = json.loads(next(export.ocsf(recorded)))
    assert list(validator.iter_errors(event | {"made_up": 1}))
    event["attestation"] = {"uid": "1"}
    assert list(validator.iter_errors(event))


def test_ocsf_lines_carry_the_chain(recorded: sa.Engine) -> None:
    events = [json.loads(line) for line in export.ocsf(recorded)]
    previous = GENESIS
    for event in events:
        attestation = event["attestation"]
        assert attestation["prev_event"]["fingerprint"]["value"] == previous
        previous = attestation["fingerprint"]["value"]
    (third,) = [json.loads(line) for line in export.ocsf(recorded, first=3)]
    assert third == events[2]


def test_csv_cells_cannot_start_a_formula(recorded: sa.Engine) -> None:
    header, row = list(csv.reader(export.to_csv(Traces(recorded))))
    assert tuple(header) == export.COLUMNS
    assert dict(zip(header, row, strict=True))["request"] == '\'=HYPERLINK("http://x")'


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\tx", "\rx"])
def test_every_formula_sign_is_quoted(text: str) -> None:
    assert export.safe_cell(text) == "'" + text
