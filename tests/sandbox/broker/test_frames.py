"""Frames of the sealed process are hostile input."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.broker.frames import FrameRefused, ModelCall, parse_frame

GOOD: dict[str, Any] = {
    "t": "model.call",
    "id": 1,
    "messages": [{"role": "user", "content": "hello"}],
    "tools": [],
}


def test_a_good_frame_is_read() -> None:
    frame = parse_frame(GOOD)
    assert isinstance(frame, ModelCall)
    assert frame.messages[0].content == "hello"


@pytest.mark.parametrize(
    "changed",
    [
        {"t": "shell.exec"},
        {"t": None},
        {"id": "1"},
        {"id": -1},
        {"messages": []},
        {"messages": [{"role": "root", "content": "x"}]},
        {"messages": [{"role": "user", "content": 3}]},
        {"messages": [{"role": "user", "content": "x", "more": 1}]},
        {"messages": [{"role": "user", "content": "x"}] * 201},
        {"messages": [{"role": "user", "content": "x" * 400_001}]},
        {"run": "another-run"},
        {"tools": [{"name": "rm -rf /"}]},
    ],
)
def test_a_malformed_frame_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(FrameRefused):
        parse_frame({**GOOD, **changed})


@pytest.mark.parametrize("many", [list(range(10_001)), {str(n): {} for n in range(10_001)}])
def test_what_would_be_screened_for_hours_is_refused(many: object) -> None:
    asked = {"t": "tool.call", "id": 1, "name": "chart", "arguments": {"values": many}}
    with pytest.raises(FrameRefused, match="too-many-values"):
        parse_frame(asked)


def test_a_long_table_and_long_descriptions_pass() -> None:
    parse_frame(
        {"t": "tool.call", "id": 1, "name": "chart", "arguments": {"values": list(range(5_000))}}
    )
    described = {"name": "t", "parameters": {"enum": list(range(5_000))}}
    parse_frame({**GOOD, "tools": [described] * 8})


def test_a_refusal_never_repeats_the_content() -> None:
    with pytest.raises(FrameRefused) as caught:
        parse_frame({**GOOD, "id": "Marie Tremblay"})
    assert "Marie" not in str(caught.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(["t", "id", "messages", "tools", "x"]), json_values))
def test_anything_is_a_frame_or_a_refusal(raw: dict[str, Any]) -> None:
    with contextlib.suppress(FrameRefused):
        parse_frame(raw)
