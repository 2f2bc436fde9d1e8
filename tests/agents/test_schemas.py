"""Schemas of strangers: bounded time, nothing looked up, never an error of another kind."""

import http.server
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from agents.schemas import mistake
from agents.tools.base import Tool, ToolContext, ToolResult
from agents.tools.registry import problem
from guardrails.errors import BadInput

DOUBLING = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)}


@pytest.fixture
def asked() -> Iterator[tuple[str, list[str]]]:
    """An address in the own network, and what was asked of it."""
    paths: list[str] = []

    class Inner(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Inner) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/inner", paths
        server.shutdown()
        thread.join()


def test_what_a_schema_refers_to_is_not_fetched(asked: tuple[str, list[str]]) -> None:
    address, paths = asked
    for reference in (address, "file:///etc/hostname"):
        with pytest.raises(BadInput, match="schema-broken"):
            mistake({"properties": {"x": {"$ref": reference}}}, {"x": 1})
    assert paths == []


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"properties": {"x": {"$ref": "#/properties/x"}}},
        {"properties": {"x": {"minimum": "a"}}},
        {"properties": 5},
        {"required": 5},
        {"type": "made-up"},
        {"$defs": {**DOUBLING, "d40": {}}, "properties": {"x": {"$ref": "#/$defs/d0"}}},
        {"unevaluatedProperties": {"$ref": "#"}},
    ],
    ids=range(8),
)
def test_a_schema_that_cannot_be_followed_is_said_to_be_broken(schema: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="schema-broken"):
        mistake(schema, {"x": 1})


def test_an_expression_takes_linear_time_and_one_that_cannot_be_read_is_passed_over() -> None:
    slow = {"properties": {"x": {"type": "string", "pattern": "^(a+)+$"}}}
    assert mistake(slow, {"x": "a" * 5_000 + "!"}).validator == "pattern"
    assert mistake(slow, {"x": "aaa"}) is None
    unread = {"properties": {"x": {"pattern": "(?=a)a"}}}
    assert mistake(unread, {"x": "b"}) is None
    assert mistake(unread, {"x": "b"}, strict=True) is not None


def test_ordinary_references_work() -> None:
    schema = {"$defs": {"n": {"type": "integer"}}, "properties": {"x": {"$ref": "#/$defs/n"}}}
    assert mistake(schema, {"x": 1}) is None
    assert mistake(schema, {"x": "1"}).validator == "type"


def test_a_tool_that_is_described_wrongly_is_refused_in_words() -> None:
    async def never(_arguments: Any, _context: ToolContext) -> ToolResult:
        raise AssertionError

    tool = Tool("t", "", "", "reads", {"properties": {"x": {"minimum": "a"}}}, never)
    assert "described wrongly" in str(problem(tool, {"x": 1}))
