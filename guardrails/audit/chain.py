"""The chain: how one ledger row hashes onto the one before it.

hash(n) = SHA-256(hash(n-1) || body(n)), where the body is the canonical JSON of every column of
the row except `hash`, `mac` and `payload`. The body is never stored: it is derived from the
columns, so an edited column *is* an edited body. `digest` binds the sealed payload (anyone can
check it), `seal` binds the plain payload under a per-subject key (nobody can guess content from
it), and `mac` binds the hash under the store's key, so that a rewritten chain needs more than
write access.
"""

import hashlib
import hmac
from json.encoder import encode_basestring as quote
from typing import NamedTuple

GENESIS = hashlib.sha256(b"atelier-ledger-v1").hexdigest()


class Body(NamedTuple):
    """The hashed part of a row, in the table's column order."""

    seq: int
    at: int
    step: str
    intent: int | None
    kind: str
    actor: str
    subject: str
    agent: str
    version: str
    conversation: str
    trace_id: str
    verdict: str
    rule: str
    digest: str
    seal: str


def body_text(row: Body) -> str:
    """Canonical JSON (RFC 8785) of a row; spelled out because verification runs it per row."""
    (
        seq, at, step, intent, kind, actor, subject, agent, version, talk, trace, verdict, rule,
        digest, seal,
    ) = row  # fmt: skip
    return (
        f'{{"actor":{quote(actor)},"agent":{quote(agent)},"at":{at},"conversation":{quote(talk)},'
        f'"digest":{quote(digest)},"intent":{"null" if intent is None else intent},'
        f'"kind":{quote(kind)},"rule":{quote(rule)},"seal":{quote(seal)},"seq":{seq},'
        f'"step":{quote(step)},"subject":{quote(subject)},"trace_id":{quote(trace)},'
        f'"verdict":{quote(verdict)},"version":{quote(version)}}}'
    )


def link(previous: str, row: Body) -> str:
    """The hash of `row` after `previous` (both hex)."""
    text = previous + body_text(row)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def mac(key: bytes, link_hash: str) -> str:
    """The keyed hash of a link: HMAC-SHA256, hex."""
    return hmac.digest(key, link_hash.encode(), "sha256").hex()
