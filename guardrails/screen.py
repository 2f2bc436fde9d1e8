"""The fixed order of checks on one text: length, secrets, personal data, injection, mask.

Never fails open: a detector that errors, hangs, is missing or reports nonsense means ScreenFailed.
Knows nothing of models, agents or storage.
"""

import hashlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Literal, TypeVar, cast

from guardrails.bounded import Bounded, Seen
from guardrails.errors import ScreenFailed
from guardrails.findings import Finding, Outcome, Provenance, Screened, Verdict
from guardrails.paragraphs import pieces
from guardrails.vault import Vault

_T = TypeVar("_T")
Action = Literal["mask", "block", "allow"]
FindPii = Callable[[str, str | None], list[Finding]]
FindSecrets = Callable[[str], list[Finding]]
ScoreInjection = Callable[[str, Provenance], float]

# Kinds that say what a text is about. Policies use them; masking them would hide the question.
TOPICS = frozenset(
    {"HEALTH", "RELIGION", "POLITICS", "UNION_MEMBERSHIP", "SEXUAL_ORIENTATION", "ETHNICITY"}
    | {"GENETIC_BIOMETRIC", "OFFENCE", "NRP"}  # as detect/sensitive.py names them
)


@dataclass(frozen=True, slots=True)
class ScreenPolicy:
    """What to do with each kind, and from which injection score on to ask or to refuse.

    `kinds` maps a kind to mask, block or allow; kinds not listed are masked. Thresholds are in
    0..1 per provenance; a provenance that is missing is never scored (our own instructions, and
    what the model writes, are not attacks on the model).
    """

    kinds: Mapping[str, Action] = field(
        default_factory=lambda: dict.fromkeys((*TOPICS, "ORGANIZATION", "URL"), "allow")
    )
    ask_injection: Mapping[Provenance, float] = field(
        default_factory=lambda: {"user": 0.88, "tool": 0.8, "document": 0.8}
    )
    block_injection: Mapping[Provenance, float] = field(default_factory=lambda: {"user": 0.99})

    def action(self, kind: str) -> Action:
        """What happens to a finding of `kind`."""
        return self.kinds.get(kind, "mask")


DEFAULT = ScreenPolicy()
# Kinds made of everyday words: what a detector only suspects there ("Thursday" beside a name) is
# left as it stands, or a text would lose its sense. A number that may be an identifier is hidden.
WORDS = frozenset({"DATE_TIME", "PERSON", "LOCATION", "ORGANIZATION"})
SUSPECTED = 0.5
# an agent's guard "strict": organisations and addresses are masked as well, and what looks like
# an order to the model is refused rather than marked
STRICT = ScreenPolicy(
    kinds=dict.fromkeys(TOPICS, "allow"), block_injection=dict(DEFAULT.ask_injection)
)


def policy_of(guard: str) -> ScreenPolicy:
    """The policy of an agent's guard profile; an unknown one is strict."""
    return DEFAULT if guard == "recommended" else STRICT


_AT_ONCE = 8  # detectors at work; those that hang count, so a stuck screen refuses
_MEMORY = 4096  # paragraphs remembered
_LOADING_S = 120.0  # for models, once
_PER_TIMEOUT = 250_000  # characters that may take one more time-out


class Screen:
    """Screens texts with detectors that are given; the defaults load their models at first use."""

    def __init__(
        self,
        find_pii: FindPii | None = None,
        find_secrets: FindSecrets | None = None,
        score_injection: ScoreInjection | None = None,
        timeout_s: float = 10.0,
        max_chars: int = 1_000_000,
    ) -> None:
        self._find_pii = find_pii or _default_pii
        self._find_secrets = find_secrets or _default_secrets
        self._score_injection = score_injection or _default_injection
        self.timeout_s = timeout_s
        self.max_chars = max_chars
        self._seen = Seen(_MEMORY)
        self._bounded = Bounded(_AT_ONCE)
        self._warm = threading.Event()
        self._warming = threading.Lock()

    def warm(self) -> None:
        """Load the default detectors' models now. Raises ScreenFailed when one is missing.

        The first text does this by itself; loading has a limit of its own, because on a busy
        machine it takes longer than any text may.
        """
        if self._warm.is_set():
            return
        with self._warming:
            if self._warm.is_set():
                return
            loads = [
                load
                for given, load in (
                    (self._find_pii is _default_pii, _load_pii),
                    (self._score_injection is _default_injection, _load_injection),
                )
                if given
            ]
            for load in loads:
                self._bounded.run("loading", load, time.monotonic() + _LOADING_S, _LOADING_S)
            self._warm.set()

    def forget(self) -> None:
        """Read everything anew from now on: what detectors look for has changed."""
        self._seen.clear()

    def text(
        self,
        text: str,
        vault: Vault | None = None,
        *,
        provenance: Provenance = "user",
        language: str | None = None,
        policy: ScreenPolicy = DEFAULT,
        masked: bool = False,
    ) -> Screened:
        """Screen one text; `Screened.text` is masked through `vault` when one is given.

        Provenance `model`, and `masked`, mean text that has been through this vault already: its
        placeholders are keys. Everywhere else a placeholder-looking string is data. Findings carry
        offsets into `text` as given. Raises ScreenFailed; the text must then go nowhere.
        """
        self._sized(text)
        self.warm()
        deadline = time.monotonic() + self.seconds_for(len(text))
        findings = self._findings(text, language, deadline)
        ask = policy.ask_injection.get(provenance)
        block = policy.block_injection.get(provenance)
        score = 0.0
        if text.strip() and (ask is not None or block is not None):
            score = self._injection(text, provenance, deadline)
        keyed = masked or provenance == "model"
        return _judge(text, findings, score, vault, provenance, policy, keyed)

    def texts(
        self,
        texts: Sequence[str],
        vault: Vault | None = None,
        *,
        provenance: Provenance = "user",
        language: str | None = None,
        policy: ScreenPolicy = DEFAULT,
    ) -> list[Screened]:
        """Screen several texts, all or nothing. The length limit counts them together."""
        total = sum(map(len, texts))
        if total > self.max_chars:
            raise ScreenFailed("screen-too-long", n=total, limit=self.max_chars)
        return [
            self.text(text, vault, provenance=provenance, language=language, policy=policy)
            for text in texts
        ]

    def findings(self, text: str, language: str | None = None) -> list[Finding]:
        """Secrets and personal data in one text, in order. Raises ScreenFailed."""
        self._sized(text)
        self.warm()
        return self._findings(text, language, time.monotonic() + self.seconds_for(len(text)))

    def seconds_for(self, size: int) -> float:
        """How long a text of `size` characters may take. Longer than any size that is accepted
        needs, so that a long document is screened rather than given up half-way; a text that is too
        long is refused before any work begins."""
        return self.timeout_s * (1 + size / _PER_TIMEOUT)

    def _sized(self, text: str) -> None:
        if len(text) > self.max_chars:
            raise ScreenFailed("screen-too-long", n=len(text), limit=self.max_chars)

    def _findings(self, text: str, language: str | None, deadline: float) -> list[Finding]:
        if not text.strip():
            return []
        secrets = self._cached(
            "secrets", text, "", lambda one: list(self._find_secrets(one)), deadline
        )
        found = set(secrets)
        for start, piece in pieces(text):
            pii = self._cached(
                "pii",
                piece,
                language or "",
                lambda one: list(self._find_pii(one, language)),
                deadline,
            )
            found |= {
                _moved(item, start)
                for item in pii
                if item.kind not in WORDS or item.score >= SUSPECTED
            }
        return sorted(found)

    def _injection(self, text: str, provenance: Provenance, deadline: float) -> float:
        def run(one: str) -> float:
            score = float(self._score_injection(one, provenance))
            if not 0.0 <= score <= 1.0:  # also refuses NaN
                raise ValueError("score out of range")
            return score

        return self._cached("injection", text, provenance, run, deadline)

    def _cached(
        self, name: str, text: str, extra: str, run: "Callable[[str], _T]", deadline: float
    ) -> "_T":
        key = hashlib.blake2b(
            f"{name}\0{extra}\0{text}".encode("utf-8", "surrogatepass"), digest_size=16
        ).digest()
        age = self._seen.age
        found, value = self._seen.get(key)
        if not found:
            limit = round(self.seconds_for(len(text)), 1)
            value = self._bounded.run(name, lambda: run(text), deadline, limit)
            if isinstance(value, list):
                value = _checked(name, text, value)
            self._seen.put(key, value, age)
        return cast("_T", value)


def _checked(name: str, text: str, found: list[object]) -> list[object]:
    """A detector that reports spans outside the text has not understood it: refuse."""
    for item in found:
        if not isinstance(item, Finding) or not 0 <= item.start <= item.end <= len(text):
            raise ScreenFailed("screen-detector", detector=name, error="offsets")
    return found


def _moved(item: Finding, by: int) -> Finding:
    return replace(item, start=item.start + by, end=item.end + by) if by else item


def _judge(
    text: str,
    findings: list[Finding],
    score: float,
    vault: Vault | None,
    provenance: Provenance,
    policy: ScreenPolicy,
    keyed: bool,
) -> Screened:
    rules: list[str] = []
    outcome: Outcome = "allow"
    asked = score >= policy.ask_injection.get(provenance, 2.0)
    blocked = score >= policy.block_injection.get(provenance, 2.0)
    if asked or blocked:
        rules.append("screen.injection")
        outcome = "deny" if blocked else "ask"
        said = "Reads like an instruction to the assistant rather than text for a person."
        injection = Finding(0, len(text), "INJECTION", score, "injection", said)
        findings = sorted([*findings, injection])
    if vault is not None and not keyed:  # what is keyed was read when it came in, and our own words
        findings = _with_known(findings, vault.known(text))
    actions = {item.kind: policy.action(item.kind) for item in findings if item.kind != "INJECTION"}
    if "block" in actions.values():
        rules.insert(0, "screen.blocked")
        outcome = "deny"
    if actions.get("SECRET") == "mask":
        rules.append("screen.secret")
    if any(action == "mask" for kind, action in actions.items() if kind != "SECRET"):
        rules.append("screen.masked")
    rules = rules or ["screen.clean"]
    # what is blocked is masked too: the refusal is recorded and shown
    hidden = [item for item in findings if actions.get(item.kind, "allow") != "allow"]
    masked = text
    if vault is not None:
        masked = vault.mask(text, hidden, masked=keyed)
    elif hidden:
        masked = Vault("", b"").mask(text, hidden, masked=keyed)
    return Screened(masked, tuple(findings), Verdict(outcome, rules[0], rules=tuple(rules)))


def _with_known(findings: list[Finding], known: list[Finding]) -> list[Finding]:
    """The findings, and those known names that no detector found here."""
    seen = [(item.start, item.end) for item in findings if item.kind != "INJECTION"]
    added = []
    at = 0
    for item in known:  # both in order of position
        while at < len(seen) and seen[at][1] <= item.start:
            at += 1
        if at == len(seen) or seen[at][0] >= item.end:
            added.append(item)
    return sorted([*findings, *added]) if added else findings


def _default_pii(text: str, language: str | None) -> list[Finding]:
    from guardrails.detect import pii  # loads language models, so only where first needed

    return list(pii.find(text, language))


def _load_pii() -> None:
    from guardrails.detect import pii

    pii.warm()


def _load_injection() -> None:
    from guardrails.detect import injection

    injection.warm()


def _default_secrets(text: str) -> list[Finding]:
    from guardrails.detect import secrets

    return list(secrets.find(text))


def _default_injection(text: str, provenance: Provenance) -> float:
    from guardrails.detect import injection  # loads the classifier

    return injection.score(text, provenance)


@cache
def default_screen() -> Screen:
    """The screen with the real detectors, shared by everything in this process."""
    return Screen()


def screen(text: str | Sequence[str], vault: Vault | None = None) -> Screened | list[Screened]:
    """Screen one text or a list of texts with the default screen. Raises ScreenFailed."""
    one = default_screen()
    return one.text(text, vault) if isinstance(text, str) else one.texts(text, vault)
