"""The sealed end of the socket: blocking, one frame at a time, usable from several threads."""

import socket
from threading import Lock

from sandbox.wire import Frame, FrameReader, encode

CHUNK = 64 * 1024


class Closed(EOFError):
    """The broker is gone; there is nobody left to work for."""


class Channel:
    """Sends and receives frames over one inherited descriptor."""

    def __init__(self, descriptor: int) -> None:
        # the family is named: finding it out would be a call that the seal refuses
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=descriptor)
        self._reader = FrameReader()
        self._frames: list[Frame] = []
        self._sending = Lock()
        self._receiving = Lock()

    def send(self, frame: Frame) -> None:
        """Send one frame. Blocks while the broker is slow. Raises Closed, WireError."""
        data = encode(frame)
        with self._sending:
            try:
                self._socket.sendall(data)
            except OSError as error:
                raise Closed from error

    def receive(self) -> Frame:
        """The next frame. Blocks until there is one. Raises Closed, WireError."""
        with self._receiving:
            while not self._frames:
                try:
                    data = self._socket.recv(CHUNK)
                except OSError as error:
                    raise Closed from error
                if not data:
                    raise Closed
                self._frames = self._reader.feed(data)
            return self._frames.pop(0)
