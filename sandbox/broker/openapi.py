"""HTTP tools from an OpenAPI file that an administrator adds: a strict part of OpenAPI 3.

Read as hostile: size, depth, number and names are bounded; `$ref` only inside the file. GET and
HEAD read, every other method sends and so waits for a person. Credentials are added by the broker
from its secrets, and never seen by the seal or the model.
"""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import yaml

from agents.tools.base import NotDone
from guardrails.errors import BadInput
from sandbox.broker.fetch import Fetcher

MAX_BYTES = 1024 * 1024
MAX_TOOLS = 40
MAX_DEPTH = 8
MAX_PARTS = 500  # of one schema, references followed
MAX_ANSWER = 20_000
METHODS = ("get", "head", "post", "put", "patch", "delete")
_KEPT = frozenset(
    {"type", "properties", "required", "items", "enum", "description", "minimum", "maximum",
     "minLength", "maxLength", "minItems", "maxItems", "format"}
)  # fmt: skip
_TYPES = frozenset({"string", "integer", "number", "boolean", "array", "object"})
_ARGUMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")

Definition = dict[str, Any]


def read_openapi(data: bytes, id: str, base: str = "") -> tuple[str, str, list[Definition]]:
    """Title, base address and one definition for each operation.

    Raises BadInput("openapi-bad") with `why`: size, syntax, version, base, operation, reference,
    too-many, empty.
    """
    if len(data) > MAX_BYTES:
        raise _bad("size")
    try:
        text = data.decode("utf-8")
        if text.lstrip().startswith("{"):
            document = json.loads(text)
        # aliases in YAML can grow without bound, and no such file needs them
        elif any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text)):
            raise _bad("syntax")
        else:
            document = yaml.safe_load(text)
    except (UnicodeDecodeError, ValueError, yaml.YAMLError, RecursionError) as error:
        raise _bad("syntax") from error
    if not isinstance(document, dict) or not str(document.get("openapi", "")).startswith("3."):
        raise _bad("version")
    try:
        return _read(document, id, base)
    # what is of another type than the standard says shows where it is used
    except (TypeError, ValueError, AttributeError) as error:
        raise _bad("operation") from error


def _read(document: dict[str, Any], id: str, base: str) -> tuple[str, str, list[Definition]]:
    base = base or _server(document)
    parts = urlsplit(base)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
        raise _bad("base")
    paths = document.get("paths")
    found: list[Definition] = []
    for path, item in paths.items() if isinstance(paths, dict) else ():
        if not isinstance(item, dict) or not str(path).startswith("/"):
            raise _bad("operation", str(path))
        for method in METHODS:
            if isinstance(operation := item.get(method), dict):
                found.append(_definition(document, id, str(path), method, item, operation))
    if not found:
        raise _bad("empty")
    if len(found) > MAX_TOOLS or len({one["name"] for one in found}) != len(found):
        raise _bad("too-many" if len(found) > MAX_TOOLS else "operation")
    title = _line((document.get("info") or {}).get("title") or id, 120)
    return title, base.rstrip("/"), found


def _server(document: Mapping[str, Any]) -> str:
    servers = document.get("servers")
    first = servers[0] if isinstance(servers, list) and servers else {}
    return str(first.get("url", "")) if isinstance(first, dict) else ""


def _definition(
    document: Mapping[str, Any], id: str, path: str, method: str, item: Any, operation: Any
) -> Definition:
    properties: dict[str, Any] = {}
    required: list[str] = []
    places: dict[str, str] = {}
    for raw in [*(item.get("parameters") or ()), *(operation.get("parameters") or ())]:
        one = _resolved(document, raw)
        name, place = str(one.get("name", "")), str(one.get("in", ""))
        if place in ("header", "cookie"):
            continue  # credentials travel there, and they are not the model's to choose
        if place not in ("path", "query") or not _ARGUMENT.fullmatch(name):
            raise _bad("operation", f"{method} {path}")
        schema = _schema(document, one.get("schema") or {"type": "string"})
        if one.get("description"):
            schema["description"] = _line(one["description"], 200)
        properties[name], places[name] = schema, place
        if one.get("required") or place == "path":
            required.append(name)
    body = _resolved(document, operation.get("requestBody") or {})
    if content := body.get("content"):
        json_body = content.get("application/json") if isinstance(content, dict) else None
        if not isinstance(json_body, dict) or "body" in properties:
            raise _bad("operation", f"{method} {path}")
        properties["body"] = _schema(document, json_body.get("schema") or {"type": "object"})
        places["body"] = "body"
        if body.get("required"):
            required.append("body")
    if {name for name, place in places.items() if place == "path"} != set(
        re.findall(r"\{([^{}]+)\}", path)
    ):
        raise _bad("operation", f"{method} {path}")
    named = str(operation.get("operationId") or f"{method} {path}")
    said = operation.get("summary") or operation.get("description") or named
    return {
        "name": slug(id, named),
        "remote": f"{method.upper()} {path}",
        "description": _line(said, 400),
        "side_effect": "reads" if method in ("get", "head") else "sends",
        "parameters": {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        },
        "places": places,
    }


def slug(id: str, name: str) -> str:
    """A tool's name: the source, then the operation, in the letters that names may have."""
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1-\2", name)
    plain = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")
    return f"{id}-{plain}"[:64].rstrip("-")


def _schema(
    document: Mapping[str, Any], raw: Any, depth: int = 0, parts: list[int] | None = None
) -> dict[str, Any]:
    parts = [0] if parts is None else parts
    parts[0] += 1
    # references that branch make a small file as large as they please
    if depth > MAX_DEPTH or parts[0] > MAX_PARTS:
        raise _bad("reference")
    found = _resolved(document, raw)
    kept = {str(key): value for key, value in found.items() if key in _KEPT}
    kind = kept.get("type", "object" if "properties" in kept else "string")
    if isinstance(kind, list):  # OpenAPI 3.1: ["string", "null"]
        kind = next((one for one in kind if one != "null"), "string")
    if kind not in _TYPES:
        raise _bad("operation")
    kept["type"] = kind
    if "description" in kept:
        kept["description"] = _line(kept["description"], 200)
    if isinstance(inner := kept.get("properties"), dict):
        kept["properties"] = {
            str(name)[:64]: _schema(document, one, depth + 1, parts)
            for name, one in list(inner.items())[:60]
        }
    if kind == "array":
        kept["items"] = _schema(document, kept.get("items") or {"type": "string"}, depth + 1, parts)
    return kept


def _resolved(document: Mapping[str, Any], raw: Any) -> Mapping[str, Any]:
    for _ in range(MAX_DEPTH):
        if not isinstance(raw, dict):
            raise _bad("reference")
        target = raw.get("$ref")
        if target is None:
            return raw
        if not isinstance(target, str) or not target.startswith("#/"):
            raise _bad("reference", str(target))  # another file or address
        raw = document
        for part in target[2:].split("/"):
            raw = (
                raw.get(part.replace("~1", "/").replace("~0", "~"))
                if isinstance(raw, dict)
                else None
            )
    raise _bad("reference")


async def call_http(
    fetcher: Fetcher,
    base: str,
    definition: Definition,
    arguments: Mapping[str, Any],
    credentials: Mapping[str, str],
) -> tuple[bool, str]:
    """Whether the service agreed, and its words (a stranger's). Raises NotDone."""
    method, _, path = str(definition["remote"]).partition(" ")
    query: list[tuple[str, str]] = []
    content = b""
    for name, value in arguments.items():
        place = definition["places"].get(name)
        if place == "path":
            part = quote(_plain(value), safe="")
            if not part.strip(".") or part in (".", ".."):
                raise NotDone(f"{name} is no part of an address")
            path = path.replace("{" + name + "}", part)
        elif place == "query":
            values = value if isinstance(value, list) else [value]
            query += [(name, _plain(one)) for one in values]
        elif place == "body":
            content = json.dumps(value, ensure_ascii=False).encode()
    address = base + path + (f"?{urlencode(query)}" if query else "")
    headers = {"accept": "application/json, text/plain", **credentials}
    if content:
        headers["content-type"] = "application/json"
    answer = await fetcher.request(method, address, headers, content)
    if 300 <= answer.status < 400:
        raise NotDone("the service sent us elsewhere, which is not followed")
    text = answer.body.decode("utf-8", "replace")[:MAX_ANSWER]
    return answer.status < 400, f"HTTP {answer.status}\n{text}"


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _line(text: Any, most: int) -> str:
    return " ".join(str(text).split())[:most]


def _bad(why: str, where: str = "") -> BadInput:
    return BadInput("openapi-bad", why=why, where=where[:120])
