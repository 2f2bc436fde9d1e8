"""Frames between a sealed process and the broker: 4-byte big-endian length, then one JSON object.

Both ends use this file, so it needs the standard library only. Whatever arrives is hostile:
length, nesting and encoding are checked before anything else looks at a frame. There is no way
to send an object, a descriptor or a reference: JSON values only, never pickle.
"""

import json
import math
import struct

MAX_FRAME = 1024 * 1024  # bytes of JSON in one frame
MAX_DEPTH = 32  # nesting of objects and arrays
_HEADER = struct.Struct("!I")

Frame = dict[str, object]


class WireError(ValueError):
    """The other end broke the protocol. `reason` is a fixed word, never content."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


def encode(frame: Frame) -> bytes:
    """One frame as bytes. Raises WireError("too-large" or "not-json")."""
    try:
        body = json.dumps(frame, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise WireError("not-json") from error
    if len(body) > MAX_FRAME:
        raise WireError("too-large")
    return _HEADER.pack(len(body)) + body


def decode(body: bytes, max_depth: int = MAX_DEPTH) -> Frame:
    """The object in one frame's body. Raises WireError."""
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_no_constant, parse_float=_finite)
    except RecursionError as error:
        raise WireError("too-deep") from error
    except ValueError as error:  # JSON errors, UTF-8 errors, integers of thousands of digits
        raise WireError("not-json") from error
    if not isinstance(value, dict):
        raise WireError("not-an-object")
    _check(value, max_depth, surrogates=b"\\ud" in body or b"\\uD" in body)
    return value


class FrameReader:
    """Cuts a byte stream into frames. Does no input or output: feed it what a socket gave."""

    def __init__(self, max_frame: int = MAX_FRAME, max_depth: int = MAX_DEPTH) -> None:
        self._buffer = bytearray()
        self._max_frame = max_frame
        self._max_depth = max_depth

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that `data` completes, oldest first. Raises WireError; then stop reading.

        The buffer never holds more than one frame beyond what was fed: a length over the cap
        is refused from its header alone.
        """
        self._buffer += data
        frames: list[Frame] = []
        while len(self._buffer) >= _HEADER.size:
            (length,) = _HEADER.unpack_from(self._buffer)
            if length > self._max_frame:
                raise WireError("too-large")
            end = _HEADER.size + length
            if len(self._buffer) < end:
                break
            body = bytes(self._buffer[_HEADER.size : end])
            del self._buffer[:end]
            frames.append(decode(body, self._max_depth))
        return frames

    @property
    def pending(self) -> int:
        """Bytes of an unfinished frame; more than 0 at the end of a stream means it was cut."""
        return len(self._buffer)


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):  # 1e999 is JSON, and could not be written as JSON again
        raise WireError("not-json")
    return number


def _no_constant(name: str) -> object:
    raise WireError("not-json")  # NaN and Infinity are no JSON (RFC 8259, section 6)


def _check(value: object, max_depth: int, surrogates: bool) -> None:
    """Refuse deep nesting and lone surrogates, without recursion."""
    level: list[object] = [value]
    for _ in range(max_depth):
        below: list[object] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.values())
                if surrogates:
                    below.extend(item.keys())
            elif isinstance(item, list):
                below.extend(item)
            elif surrogates and isinstance(item, str) and _has_surrogate(item):
                raise WireError("not-json")
        if not below:
            return
        level = below
    raise WireError("too-deep")


def _has_surrogate(text: str) -> bool:
    # "\\ud800" is legal JSON but cannot be written as UTF-8 by whoever stores it
    return any("\ud800" <= letter <= "\udfff" for letter in text)
