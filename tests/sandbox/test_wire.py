"""Frames: whatever arrives, the reader gives frames or says WireError, and nothing else."""

import json
import os
import random
import struct
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.broker.frames import FrameRefused, parse_frame
from sandbox.wire import MAX_DEPTH, MAX_FRAME, FrameReader, WireError, decode, encode

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), inner)
    ),
    max_leaves=20,
)
FIELDS = ("text", "name", "content", "arguments", "messages", "tools", "kind", "data", "status")
FRAMES = st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), VALUES)


@given(st.lists(FRAMES, max_size=4), st.integers(1, 50))
def test_frames_come_back_however_the_bytes_are_cut(
    frames: list[dict[str, object]], cut: int
) -> None:
    data = b"".join(encode(frame) for frame in frames)
    reader = FrameReader()
    got = [frame for at in range(0, len(data), cut) for frame in reader.feed(data[at : at + cut])]
    assert got == frames
    assert reader.pending == 0


@given(st.lists(st.binary(max_size=64), max_size=8))
def test_any_bytes_give_frames_or_a_wire_error(parts: list[bytes]) -> None:
    reader = FrameReader(max_frame=1024)
    try:
        for part in parts:
            for frame in reader.feed(part):
                json.dumps(frame, ensure_ascii=False).encode("utf-8")
    except WireError:
        pass


@given(st.binary(max_size=200))
def test_any_body_is_an_object_or_a_wire_error(body: bytes) -> None:
    with suppress(WireError):
        assert isinstance(decode(body), dict)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"[1]", "not-an-object"),
        (b"null", "not-an-object"),
        (b"", "not-json"),
        (b"{", "not-json"),
        (b"\xff", "not-json"),
        (b'{"a": NaN}', "not-json"),
        (b'{"a": Infinity}', "not-json"),
        (b'{"a": [-1e999]}', "not-json"),
        (b'{"a": "\\ud800"}', "not-json"),
        (b'{"\\uDFFF": 1}', "not-json"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not-json"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "too-deep"),
        (b"[" * 100_000, "too-deep"),
    ],
)
def test_a_bad_body_is_named(body: bytes, reason: str) -> None:
    with pytest.raises(WireError) as caught:
        decode(body)
    assert caught.value.reason == reason


def test_a_length_over_the_cap_is_refused_before_its_bytes_arrive() -> None:
    with pytest.raises(WireError, match="too-large"):
        FrameReader().feed(struct.pack("!I", MAX_FRAME + 1))


def test_a_frame_over_the_cap_is_not_sent() -> None:
    with pytest.raises(WireError, match="too-large"):
        encode({"text": "x" * MAX_FRAME})


def test_the_deepest_frame_that_is_allowed_passes() -> None:
    depth = MAX_DEPTH - 1
    assert decode(b'{"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, b"bytes", "\ud800"])
def test_what_is_not_json_is_not_sent(value: object) -> None:
    with pytest.raises(WireError, match="not-json"):
        encode({"a": value})


def test_a_full_frame_is_read_in_pieces_without_copying_it_each_time() -> None:
    data = encode({"text": "x" * (MAX_FRAME - 100)})
    reader = FrameReader()
    began = time.process_time()
    got = [frame for at in range(0, len(data), 512) for frame in reader.feed(data[at : at + 512])]
    assert len(got) == 1
    assert time.process_time() - began < 2.0


@pytest.mark.heavy
@pytest.mark.timeout(3600)
def test_ten_minutes_of_damaged_frames_crash_and_hang_nothing() -> None:
    """Mutates valid streams; counts processor time, so that a busy machine fuzzes as much."""
    seed = random.SystemRandom().getrandbits(64)
    dice = random.Random(seed)  # noqa: S311  (the seed is printed, so that a failure can be replayed)
    kinds = ("model.call", "tool.call", "final", "failed", "output", "file", "done", "passages")
    tried = slowest = accepted = 0.0
    end = time.process_time() + float(os.environ.get("SEAL_FUZZ_S", "600"))
    while time.process_time() < end:
        data = bytearray()
        for _ in range(dice.randrange(1, 4)):
            frame: dict[str, object] = {"t": dice.choice(kinds), "id": dice.randrange(9)}
            for name in dice.sample(FIELDS, dice.randrange(len(FIELDS))):
                frame[name] = dice.choice(["", "é" * dice.randrange(99), "\u202e\x00", [[]] * 5, 7])
            if dice.random() < 0.5:
                message = {"role": dice.choice(["user", "assistant", "x"]), "content": "Bonjour"}
                frame |= {"messages": [message], "tools": []}
            data += encode(frame)
        for _ in range(dice.randrange(6)):
            at = dice.randrange(len(data))
            match dice.randrange(5):
                case 0:
                    data[at] = dice.randrange(256)
                case 1:
                    del data[at : at + dice.randrange(1, 9)]
                case 2:
                    data[at:at] = dice.randbytes(dice.randrange(1, 9))
                case 3:
                    data[at:at] = b"[" * dice.randrange(1, 3000)
                case _:
                    data[at:at] = dice.choice([b"\\ud800", b"NaN", b'"a":', b"{}", b"1e999"])
            data = data or bytearray(b"\0")
        reader = FrameReader()
        began = time.process_time()
        try:
            cut = dice.randrange(1, len(data) + 1)
            for got in (*reader.feed(bytes(data[:cut])), *reader.feed(bytes(data[cut:]))):
                json.dumps(got, ensure_ascii=False).encode("utf-8")
                with suppress(FrameRefused):
                    parse_frame(got)
                    accepted += 1
        except WireError:
            pass
        slowest = max(slowest, time.process_time() - began)
        tried += 1
    print(f"seed {seed}: {tried:.0f} damaged streams, {accepted:.0f} frames still in order,")
    print(f"slowest {slowest * 1000:.1f} ms")
    assert slowest < 1.0
