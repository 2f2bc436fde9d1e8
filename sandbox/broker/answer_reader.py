"""Read the answer out of a `final_answer` call while it streams. Knows that one JSON shape."""

_HEAD = '{"tool":"final_answer","arguments":{"answer":"'
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


class AnswerReader:
    """Gives the answer's text as it grows; `answering` stays False for any other object."""

    def __init__(self) -> None:
        self.raw = ""  # all that was fed
        self.answering = False
        self._done = False
        self._matched = 0
        self._pending = ""  # an escape that has not ended yet
        self._high = 0  # the first half of a surrogate pair, RFC 8259 section 7

    def feed(self, text: str) -> str:
        """Add a piece of the reply; return the new text of the answer, perhaps empty."""
        self.raw += text
        out: list[str] = []
        for character in text:
            if not self.answering:
                self._match(character)
            elif not self._done:
                out.append(self._take(character))
        return "".join(out)

    def _match(self, character: str) -> None:
        if self._matched < 0 or character.isspace():
            return
        if character == _HEAD[self._matched]:
            self._matched += 1
            self.answering = self._matched == len(_HEAD)
        else:
            self._matched = -1  # another object: not an answer

    def _take(self, character: str) -> str:
        if self._pending:
            self._pending += character
            return self._escape()
        if character == "\\":
            self._pending = character
            return ""
        lone = self._lone()
        if character == '"':
            self._done = True
            return lone
        return lone + character

    def _escape(self) -> str:
        pending = self._pending
        if pending[1] != "u":
            self._pending = ""
            return self._lone() + _ESCAPES.get(pending[1], pending[1])
        if len(pending) < 6:
            return ""
        self._pending = ""
        try:
            code = int(pending[2:], 16)
        except ValueError:
            return self._lone() + "\ufffd"
        if 0xDC00 <= code < 0xE000 and self._high:
            high, self._high = self._high, 0
            return chr(0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00))
        lone = self._lone()
        if 0xD800 <= code < 0xDC00:
            self._high = code
            return lone
        return lone + ("\ufffd" if 0xDC00 <= code < 0xE000 else chr(code))

    def _lone(self) -> str:
        """The replacement for a first half whose second did not come."""
        high, self._high = self._high, 0
        return "\ufffd" if high else ""
