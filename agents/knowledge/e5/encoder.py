"""One text to one vector, on the thread that asks. Thread-safe; about 0.14 ms a token."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from agents.knowledge.e5.graph import INPUT, network
from agents.knowledge.e5.packed import Floats, find, unpacked
from agents.knowledge.e5.tokens import Tokens


class Encoder:
    """The network and its tokenizer, loaded: 0.8 s once."""

    def __init__(self) -> None:
        import onnxruntime

        packed = find()
        options = onnxruntime.SessionOptions()
        # its own threads would spin beside ours, and take time from people's turns
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # texts of every length: it would only ever grow
        options.log_severity_level = 3
        self._session: Any = onnxruntime.InferenceSession(
            network(packed), options, providers=["CPUExecutionProvider"]
        )
        self._tokens = Tokens(packed.pieces())
        shape = packed.shape
        self._most = shape.window - 2
        self._words = packed.blocks("emb.word").reshape(shape.words, shape.width // 32, -1)
        # every token is of the first of the two kinds
        kind = packed.floats("emb.type")[: shape.width]
        self._places = packed.floats("emb.pos").reshape(shape.window, shape.width) + kind

    def vector(self, text: str, query: bool) -> Floats:
        """384 numbers of length 1; a text longer than the window is the mean of its windows."""
        tokens = self.tokens(text, query)
        parts = [tokens[at : at + self._most] for at in range(0, len(tokens), self._most)]
        total = sum((len(part) or 1) * self._mean(part) for part in parts)
        row = np.asarray(total, dtype=np.float32)
        return np.asarray(row / max(float(np.linalg.norm(row)), 1e-12), dtype=np.float32)

    def tokens(self, text: str, query: bool) -> list[int]:
        """The tokens' numbers, with what the model was taught to see before a text."""
        return self._tokens.of(("query: " if query else "passage: ") + text)

    def _mean(self, tokens: Sequence[int]) -> Floats:
        whole = [self._tokens.begin, *tokens, self._tokens.end]
        known = unpacked(self._words[whole]).reshape(len(whole), -1)
        inside = (known + self._places[: len(whole)])[None]
        return np.asarray(self._session.run(None, {INPUT: inside})[0][0], dtype=np.float32)
