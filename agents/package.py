"""An agent as one file: `NAME.agent.zip`. Import treats it as hostile.

Inside: `manifest.json` (format, id, content hash, a SHA-256 for each file), `agent.yaml`, and the
documents the agent names under `files/`. Nothing in a package runs, and nothing in it says whose
agent it becomes: that is the importer's to say.
"""

import hashlib
import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from agents.spec import AgentSpec
from agents.specfile import MAX_BYTES as MAX_SPEC
from agents.specfile import parse_spec
from guardrails.errors import BadInput

FORMAT = "atelier-agent-1"
MAX_PACKAGE = 20 * 1024 * 1024
MAX_FILES = 60
MAX_FILE = 10 * 1024 * 1024
MAX_MANIFEST = 64 * 1024
ENDINGS = frozenset((".md", ".txt", ".pdf", ".docx", ".xlsx", ".pptx", ".csv", ".html", ".eml"))
EPOCH = (2026, 1, 1, 0, 0, 0)  # so that the same agent gives the same bytes

_NAME = re.compile(
    r"files/[A-Za-z0-9À-ÿ][A-Za-z0-9À-ÿ _-]*(?:[./][A-Za-z0-9À-ÿ_-][A-Za-z0-9À-ÿ _-]*){1,8}"
)

Read = Callable[[str], bytes]  # a document by the name that the spec gives it
HasSecret = Callable[[str], bool]
Suspicious = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Package:
    """A package that passed every check. `claims` is what it says of itself, unproven."""

    spec: AgentSpec
    files: Mapping[str, bytes]
    claims: Mapping[str, str]
    digest: str  # SHA-256 of the package, for the record


def export_agent(spec: AgentSpec, read: Read, claims: Mapping[str, str] | None = None) -> bytes:
    """The package of an agent; equal agents give equal bytes. Raises what `read` raises."""
    wanted = documents(spec)
    files = {f"files/{name}": read(name) for name in wanted}
    body = yaml.safe_dump(spec.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    files["agent.yaml"] = body.encode()
    manifest = {
        "format": FORMAT,
        "id": spec.id,
        "version": spec.version,
        "content": spec.content_hash(),
        "claims": dict(claims or {}),
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())},
    }
    files["manifest.json"] = json.dumps(manifest, indent=1, ensure_ascii=False).encode()
    out = io.BytesIO()
    # stored, not deflated: documents are packed already, and deflating differs between zlibs
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as pack:
        for name, data in sorted(files.items()):
            pack.writestr(zipfile.ZipInfo(name, EPOCH), data)
    return out.getvalue()


def documents(spec: AgentSpec) -> tuple[str, ...]:
    """Every document that a spec names, each once."""
    named = [*spec.knowledge]
    if spec.sample:
        named += [spec.sample.en, spec.sample.fr]
    named += [name for case in spec.cases for name in case.files]
    return tuple(dict.fromkeys(named))


def import_agent(
    data: bytes, *, tools: frozenset[str], has_secret: HasSecret, suspicious: Suspicious
) -> Package:
    """Read a package without writing anything.

    `has_secret` and `suspicious` look at one text each (the guards pass them in). Raises BadInput:
    package-not-a-package, package-too-large, package-path, package-changed, package-secret,
    package-injection, package-unknown-tool, package-file, and the spec's own codes.
    """
    members = _members(data)
    manifest = _manifest(members.pop("manifest.json", b""))
    listed = manifest["files"]
    if set(listed) != set(members):
        raise BadInput("package-changed", file=_shown(set(listed) ^ set(members)))
    for name, content in members.items():
        if hashlib.sha256(content).hexdigest() != listed[name]:
            raise BadInput("package-changed", file=_shown({name}))
    spec = _spec(members.pop("agent.yaml", b""))
    if spec.content_hash() != manifest["content"]:
        raise BadInput("package-changed", file="agent.yaml")
    files = {name.removeprefix("files/"): content for name, content in members.items()}
    if set(files) != set(documents(spec)):
        raise BadInput("package-changed", file=_shown(set(files) ^ set(documents(spec))))
    for tool in spec.tools:
        if tool not in tools:
            raise BadInput("package-unknown-tool", tool=tool)
    _look(spec, has_secret, suspicious)
    claims = {str(key)[:40]: str(value)[:200] for key, value in manifest["claims"].items()}
    return Package(spec, files, claims, hashlib.sha256(data).hexdigest())


# zipfile's answers to what is no archive, is cut, encrypted, packed in a way that it does not know,
# or has nonsense in its headers: all that came of 300,000 packages with bytes changed
_NO_PACKAGE = (
    zipfile.BadZipFile,
    zlib.error,
    RuntimeError,  # NotImplementedError too
    EOFError,
    ValueError,
    OverflowError,
)


def _members(data: bytes) -> dict[str, bytes]:
    if len(data) > MAX_PACKAGE:
        raise BadInput("package-too-large", limit=MAX_PACKAGE // 1024 // 1024)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as pack:
            infos = pack.infolist()
            _check(infos)
            return {info.filename: _content(pack, info) for info in infos}
    except _NO_PACKAGE as error:
        raise BadInput("package-not-a-package") from error


def _check(infos: list[zipfile.ZipInfo]) -> None:
    """Names, number and declared sizes, before a single byte is unpacked."""
    if len(infos) > MAX_FILES or sum(info.file_size for info in infos) > 2 * MAX_PACKAGE:
        raise BadInput("package-too-large", limit=MAX_PACKAGE // 1024 // 1024)
    names = [info.filename for info in infos]
    folded = {name.casefold() for name in names}
    if len(folded) != len(names):
        raise BadInput("package-path")
    for info in infos:
        name = info.filename
        kind = info.external_attr >> 28
        plain = kind in (0, 8)  # neither a link nor a device
        packed = info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
        known = name in ("agent.yaml", "manifest.json") or (
            _NAME.fullmatch(name) is not None and "." + name.rpartition(".")[2].lower() in ENDINGS
        )
        if not (plain and packed and known) or info.orig_filename != name or len(name) > 160:
            raise BadInput("package-path")


def _content(pack: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    most = {"agent.yaml": MAX_SPEC, "manifest.json": MAX_MANIFEST}.get(info.filename, MAX_FILE)
    with pack.open(info) as member:
        data = member.read(most + 1)  # the declared size may be a lie
    if len(data) > most:
        raise BadInput("package-too-large", limit=MAX_PACKAGE // 1024 // 1024)
    return data


def _manifest(data: bytes) -> dict[str, Any]:
    try:
        manifest = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadInput("package-not-a-package") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise BadInput("package-not-a-package")
    files, claims = manifest.get("files"), manifest.get("claims", {})
    if not isinstance(files, dict) or not isinstance(claims, dict):
        raise BadInput("package-not-a-package")
    if not all(isinstance(digest, str) for digest in files.values()):
        raise BadInput("package-not-a-package")
    return {"files": files, "claims": claims, "content": manifest.get("content")}


def _spec(data: bytes) -> AgentSpec:
    try:
        return parse_spec(data.decode("utf-8"), "agent.yaml")
    except UnicodeDecodeError as error:
        raise BadInput("spec-unreadable", file="agent.yaml") from error


def _look(spec: AgentSpec, has_secret: HasSecret, suspicious: Suspicious) -> None:
    """What the model would be told, and all other words: no secrets, no attacks."""
    told = [spec.instructions.en, spec.instructions.fr, *spec.starters.en, *spec.starters.fr]
    words = [spec.model_dump_json(), *told]
    if any(has_secret(text) for text in words if text):
        raise BadInput("package-secret", file="agent.yaml")
    # test cases may hold attacks on purpose: they are typed to the agent, not told to it
    if any(suspicious(text) for text in told if text):
        raise BadInput("package-injection")


def _shown(names: set[str]) -> str:
    # a hostile name is not repeated; a harmless one helps the author
    name = min(names, default="")
    return name if _NAME.fullmatch(name) or name == "agent.yaml" else "?"
