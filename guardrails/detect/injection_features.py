"""What an injection detector sees of a text: windows, segments, hashed n-grams, views, shapes.

Shared by training (`bench/training_injection`) and inference, so the two cannot drift. Knows
nothing of weights or thresholds. Numpy only; linear in the text.
"""

import base64
import binascii
import re
import unicodedata
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guardrails.normalize import normalize

CHAR_BITS, WORD_BITS = 18, 18
WINDOW = 3_000  # characters judged together
SEGMENTS = 64  # per window; what is beyond is joined to the last
VIEWS = 4  # decoded views per window

_SPLIT = re.compile(r"\n+|(?<=[.!?])\s+|(?<=:)\s(?=[A-Z\"«“])")
_TOKEN = re.compile(r"\w+|[^\w\s]")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{20,4000}={0,2}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}[ :]?){12,2000}")
_BINARY = re.compile(r"(?:[01]{8}\s?){6,600}")
_SPACED = re.compile(r"(?:\b\w[ .\-_]{1,3}){5,400}\w\b")
_PERCENT = re.compile(r"(?:%[0-9a-fA-F]{2}){4,1000}")
_COMMENT = re.compile(r"<!--(.{3,2000}?)-->|/\*(.{3,2000}?)\*/", re.DOTALL)
_HIDDEN = re.compile(
    r"(?:display\s*:\s*none|font-size\s*:\s*0|visibility\s*:\s*hidden|color\s*:\s*(?:white|#fff))"
    r"[^>]{0,200}>([^<]{3,2000})",
    re.IGNORECASE,
)

_NOUN = (
    r"(?:instructions?|directions|prompts?|orders|rules|guidelines|commands|directives|consignes?"
    r"|regles|ordres|anweisungen|instruktionen|auftrage|befehle|regeln|instrucciones|ordenes"
    r"|reglas|indicaciones|istruzioni|regole)"
)
_AI = (
    r"(?:(?:an? |the |any |all |l'|une |un |tout |les |die |den |la |el |il )?(?:ai|ia|ki|llm|gpt"
    r"|chatbot|bot|language models?|ai (?:agents?|assistants?)|modeles? de langage|sprachmodell"
    r"|assistants?|asistente|assistente|intelligence artificielle|coding agents?)\b)"
)
# Each is one feature; the text they see is folded: lower case, no accents, single spaces.
PATTERNS: tuple[tuple[str, "re.Pattern[str]"], ...] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        (
            "override",
            r"\b(?:ignor\w*|disregard|forget|override|skip|discard|oubli\w*|neglig\w*|vergiss"
            r"|vergessen|missachte|olvid\w*|descart\w*|dimentica|bypass|abstraction)\b"
            rf"[^.\n]{{0,40}}\b{_NOUN}\b",
        ),
        (
            "forget all",
            r"\b(?:forget|erase|oublie[zr]?|effacez?|vergiss|vergessen sie|olvid\w+)\b[^.\n]{0,12}"
            r"\b(?:everything|all|tout|alles|alle|todo|it|that)\b",
        ),
        (
            "system prompt",
            rf"\b(?:your|ton|votre|tes|vos|deine?n?|tus?|the|el|das)\b[^.\n]{{0,24}}\b(?:system"
            rf"|initial|secret|hidden|original|systeme|cachees?|{_NOUN})[^.\n]{{0,12}}\b"
            r"(?:prompt|message|instructions?|text|consignes|rules)",
        ),
        (
            "reveal",
            r"\b(?:reveal|repeat|print|show|output|display|leak|recite|revel\w+|repet\w+|affich\w+"
            r"|montr\w+|recopi\w+|zeige?|wiederhole|verrate|muestra|repite)\b[^.\n]{0,40}\b"
            rf"(?:prompt|{_NOUN}|words above|text above|ci-dessus|password|credentials"
            rf"|mots? de passe)",
        ),
        (
            "persona",
            r"\b(?:dan|do anything now|jailbr\w+|developer mode|mode developpeur|modo desarrollador"
            r"|uncensored|unrestricted|sans filtre|sans restrictions?|sin (?:restricciones"
            r"|filtros?)"
            r"|ohne (?:regeln|filter)|no restrictions|without restrictions|non censure)\b",
        ),
        (
            "from now on",
            r"\b(?:from now on|a partir de maintenant|desormais|dorenavant|ab jetzt|ab sofort"
            r"|a partir de ahora|you are now|du bist jetzt|tu es maintenant|ahora estas)\b",
        ),
        ("to the model", rf"\b(?:to|for|dear|attention|pour|a|an|fur|para)\b:? ?{_AI}"),
        ("if you are a model", rf"\b(?:if|when|si|wenn|falls)\b[^.\n]{{0,20}}{_AI}"),
        ("role tag", r"\[/?(?:system|user|inst|assistant)\b|<\|?(?:system|im_start|information"
        r"|user)"),
        ("your answer", r"\b(?:your|ta|votre|deine?r?|tu) (?:final )?(?:answer|response|reply"
        r"|output"
         r"|summary|review|reponse|resume|synthese|antwort|respuesta|explanation|elucidation"
         r"|implementation|codebase|solution)\b"),
        ("tool call", r"\b(?:call|invoke|run|execute|appelez?|lancez?|rufe|llama)\b[^.\n]{0,20}"
         r"\b[a-z]+_[a-z_]+\b"),
        ("send out", r"\b(?:send|forward|upload|post|email|transfer|envoy\w+|transfer\w+"
        r"|transmet\w+"
         r"|sende|schicke|uberweise|envia|reenvia)\b[^\n]{0,80}(?:@|https?:|www\.|[a-z]{2}\d{10})"),
        ("silently", r"\b(?:do not|don't|never|without|ne)\b[^.\n]{0,12}\b(?:tell|mention"
        r"|reveal|inform"
         r"|asking|dis|dites|parle|prevenir|telling)\b[^.\n]{0,24}\b(?:user|anyone|utilisateur"
         r"|personne)"),
        ("image leak", r"!\[[^\]]{0,80}\]\(https?:[^)\s]{4,400}[?&]\w+="),
        ("canary", r"\{canary\}|\bverification (?:code|token)\b|exact (?:token|phrase|string)"),
        ("important", r"\bimportant\b ?(?:!|:|message|instruction)|!!!|\bsystem (?:note|update"
        r"|message)"
         r"|note (?:systeme|to the)|\btodo: ?[a-z]"),
        ("decode it", r"\b(?:decode|decoder|decodez)\b[^.\n]{0,40}\b(?:do|follow|execute|answer"
        r"|suis)"),
        ("about the text", r"\b(?:above|below|following|passage|attached|ci-dessous|ci-dessus"
        r"|suivant"
         r"|this (?:text|email|document|paragraph)|ce (?:texte|document|courriel))\b"),
        ("fiction", r"\b(?:imagine|story|novel|character|fictional|hypothetical|fantasy|narrative"
         r"|scenario|histoire|roman|personnage|conte)\b"),
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Window:
    """One stretch of a text. `shape` holds the dense features that need no weights."""

    segments: tuple[str, ...]  # folded
    views: tuple[str, ...]  # folded texts that stood encoded or hidden in it
    shape: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Grams:
    """Hashed n-grams of a window: bucket and segment of each."""

    chars: npt.NDArray[np.int64]
    char_segment: npt.NDArray[np.int64]
    words: npt.NDArray[np.int64]
    word_segment: npt.NDArray[np.int64]
    tokens: npt.NDArray[np.uint64]  # hashes of words and marks
    token_segment: npt.NDArray[np.int64]
    count: int  # segments


def fold(text: str) -> str:
    """Lower case, no accents, single spaces; line breaks stay."""
    if not text.isascii():
        decomposed = unicodedata.normalize("NFD", text)
        text = "".join(char for char in decomposed if not unicodedata.combining(char))
    return re.sub(r"[^\S\n]+", " ", text.lower().replace("’", "'"))


def windows(text: str) -> Iterator[Window]:
    """The text in stretches of about `WINDOW` characters, cut between segments."""
    plain = normalize(text).text if len(text) < 200_000 else text
    parts: list[str] = []
    size = 0
    for part in _segments(plain):
        if size + len(part) > WINDOW and parts:
            yield _window(parts)
            parts, size = [], 0
        parts.append(part)
        size += len(part)
    if parts:
        yield _window(parts)


def _segments(text: str) -> Iterator[str]:
    waiting = ""
    for part in _SPLIT.split(text):
        waiting = f"{waiting} {part}" if waiting else part
        # very short pieces ("Hi.", "1.") say nothing alone
        if len(waiting) >= 14:
            for at in range(0, len(waiting), WINDOW):
                yield waiting[at : at + WINDOW]
            waiting = ""
    if waiting.strip():
        yield waiting


def _window(parts: list[str]) -> Window:
    raw = "\n".join(parts)
    kept = (
        parts
        if len(parts) <= SEGMENTS
        else [*parts[: SEGMENTS - 1], " ".join(parts[SEGMENTS - 1 :])]
    )
    folded = fold(raw)
    return Window(tuple(map(fold, kept)), views(raw), shape(raw, folded, len(parts)))


def shape(raw: str, folded: str, count: int) -> tuple[float, ...]:
    """Dense features: sizes, kinds of characters, and one 0/1 per pattern."""
    letters = sum(map(str.isalpha, raw)) or 1
    upper = sum(map(str.isupper, raw)) / letters
    strange = sum(1 for char in raw if ord(char) > 0x24F) / len(raw) if raw else 0.0
    digits = sum(map(str.isdigit, raw)) / max(len(raw), 1)
    flat = folded.replace("\n", " ")
    return (
        float(np.log1p(len(raw))),
        float(np.log1p(count)),
        upper,
        strange,
        digits,
        float("?" in raw),
        float("```" in raw),
        *(1.0 if pattern.search(flat) else 0.0 for _, pattern in PATTERNS),
    )


def views(text: str) -> tuple[str, ...]:
    """What `text` says when decoded: base64, hex, binary, percent, spaced letters, hidden parts."""
    found: list[str] = []
    if "<!--" in text or "/*" in text or "style" in text:
        found += [match[1] or match[2] for match in _COMMENT.finditer(text)]
        found += [match[1] for match in _HIDDEN.finditer(text)]
    for match in _BINARY.finditer(text):
        bits = re.sub(r"\s", "", match[0])
        found.append(
            _readable(bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits) - 7, 8)))
        )
    for match in _HEX.finditer(text):
        digits = re.sub(r"[ :]", "", match[0])
        found.append(_readable(bytes.fromhex(digits[: len(digits) // 2 * 2])))
    for match in _BASE64.finditer(text):
        found.append(_readable(_unbase64(match[0])))
    for match in _PERCENT.finditer(text):
        found.append(_readable(bytes.fromhex(match[0].replace("%", ""))))
    for match in _SPACED.finditer(text):
        # a wide gap between spaced letters is where a word ends
        words = re.split(r"[ .\-_]{2,3}", match[0])
        joined = " ".join(re.sub(r"[ .\-_]", "", word) for word in words)
        found.append(joined + text[match.end() : match.end() + 80])
    return tuple(fold(view) for view in found if view)[:VIEWS]


def _unbase64(text: str) -> bytes:
    body = text.rstrip("=").replace("-", "+").replace("_", "/")
    if len(body) % 4 == 1 or body.islower():
        return b""
    try:
        return base64.b64decode(body + "=" * (-len(body) % 4))
    except binascii.Error:
        return b""


def _readable(data: bytes) -> str:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    good = sum(char.isprintable() or char.isspace() for char in text)
    return text if len(text) >= 6 and good >= 0.95 * len(text) and " " in text else ""


_MIX = np.uint64(0x9E3779B97F4A7C15)
_BASE = np.uint64(1_000_003)
_BEGINNING = 1


def grams(segments: tuple[str, ...]) -> Grams:
    """Character 2–5-grams and word 1–3-grams, hashed; each belongs to the segment it begins in."""
    text = "\n".join(segments)
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    codes = points.astype(np.uint64)
    lengths = np.array([len(segment) + 1 for segment in segments])
    owner = np.repeat(np.arange(len(segments)), lengths)[: len(codes)]
    tokens: list[int] = []
    token_owner: list[int] = []
    for index, segment in enumerate(segments):
        tokens.append(_BEGINNING)  # "ignore" at the start of a sentence says more
        token_owner.append(index)
        for token in _TOKEN.findall(segment):
            tokens.append(zlib.crc32(token.encode("utf-8", "surrogatepass")))
            token_owner.append(index)
    hashes, hash_owner = np.array(tokens, dtype=np.uint64), np.array(token_owner, dtype=np.int64)
    words, word_owner = _ngrams(hashes, hash_owner, 1, 3, WORD_BITS)
    chars, char_owner = _ngrams(codes, owner, 2, 5, CHAR_BITS)
    real = hashes != _BEGINNING
    return Grams(
        chars, char_owner, words, word_owner, hashes[real], hash_owner[real], len(segments)
    )


def _ngrams(
    codes: npt.NDArray[np.uint64], owner: npt.NDArray[np.int64], low: int, high: int, bits: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    buckets, owners = [], []
    rolling = np.zeros(len(codes), dtype=np.uint64)
    with np.errstate(over="ignore"):
        for size in range(1, high + 1):
            if len(codes) < size:
                break
            rolling = rolling[: len(codes) - size + 1] * _BASE + codes[size - 1 :] + np.uint64(1)
            if size >= low:
                mixed = (rolling + np.uint64(size)) * _MIX
                mixed ^= mixed >> np.uint64(29)
                mixed *= _MIX
                buckets.append((mixed >> np.uint64(64 - bits)).astype(np.int64))
                owners.append(owner[: len(rolling)])
    if not buckets:
        empty = np.zeros(0, dtype=np.int64)
        return empty, empty
    return np.concatenate(buckets), np.concatenate(owners)
