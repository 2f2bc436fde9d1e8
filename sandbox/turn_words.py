"""The words around a turn: a person's text without what no keyboard makes, and its trace's own."""

from collections.abc import Mapping
from pathlib import Path

from guardrails.errors import BadInput
from sandbox.broker.run import Run
from sandbox.checked import Checked
from sandbox.events import Reply


def clean_text(text: str, files: Mapping[str, Path] | None) -> str:
    """`clean`. Raises BadInput("empty-message") when there is neither text nor file."""
    text = clean(text)
    if not text and not files:
        raise BadInput("empty-message")
    return text


def clean(text: str) -> str:
    """`text` without control characters that no keyboard makes; line breaks and tabs stay."""
    return "".join(c for c in text if c in "\n\t" or (ord(c) >= 32 and ord(c) != 127)).strip()


def opening_words(run: Run, person: str) -> dict[str, object]:
    return {
        "person": person,
        "department": run.actor.department,
        "agent": run.agent.id,
        "version": run.version,
        "conversation": run.conversation,
        "data_class": run.agent.data_class,
        "purpose": run.use,
    }


def closing_words(run: Run, reply: Reply, seal: Checked) -> dict[str, object]:
    return {
        "verdict": run.verdict,
        "rule": run.rule,
        "request": reply.masked_request,
        "status": reply.status,
        "kinds": sorted(run.kinds),
        "tools": sorted(set(run.called)),
        "model": run.model,
        "model_kind": run.model_kind,
        "location": run.location,
        "tokens": run.tokens,
        "cost": run.cost,
        "unsafe": seal.backend == "none",
        **seal.words(),
    }
