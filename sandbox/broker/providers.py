"""What each provider needs: its arguments from the operator's names, its message shape, its place.

Knows names of settings and keys; imports no provider and makes no call.
"""

import json
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from sandbox.broker.model_events import Location

# Where an argument of a call comes from: names in the environment or the secrets file. A provider
# not listed takes <PROVIDER>_API_KEY and <PROVIDER>_API_BASE, as litellm's own documentation does.
_NAMES: dict[str, dict[str, str]] = {
    "azure": {
        "api_key": "AZURE_API_KEY",
        "api_base": "AZURE_API_BASE",
        "api_version": "AZURE_API_VERSION",
    },
    "bedrock": {
        "aws_access_key_id": "AWS_ACCESS_KEY_ID",
        "aws_secret_access_key": "AWS_SECRET_ACCESS_KEY",
        "aws_session_token": "AWS_SESSION_TOKEN",
        "aws_region_name": "AWS_REGION",
    },
}
# litellm's plain `ollama/` speaks the completion endpoint; tools need the chat endpoint
ALIASES = {"ollama": "ollama_chat"}
# servers that need no key refuse an empty one in the OpenAI client
_KEYLESS = frozenset({"openai", "hosted_vllm", "ollama_chat", "lm_studio", "llamafile"})
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def parameters(provider: str, secrets: Mapping[str, str], base: str) -> dict[str, str]:
    """The arguments of a call that come from the operator: address, key, version, region."""
    upper = provider.removesuffix("_chat").upper()
    usual = {"api_key": f"{upper}_API_KEY", "api_base": f"{upper}_API_BASE"}
    names = _NAMES.get(provider, usual)
    found = {key: secrets[name] for key, name in names.items() if name in secrets}
    if base:
        found["api_base"] = base
    if "api_key" not in found and provider in _KEYLESS:
        found["api_key"] = "none"
    return found


def usual_location(provider: str, base: str) -> Location:
    """Local when the address is this machine's; else unknown until the operator declares it."""
    host = urlsplit(base).hostname or ""
    if host in LOOPBACK or (provider == "ollama" and not base):
        return "local"
    return ""


def openai_shape(message: Mapping[str, object]) -> dict[str, object]:
    """A message with tool calls in OpenAI's own shape, whichever shape it came in."""
    told = dict(message)
    calls = told.get("tool_calls")
    if isinstance(calls, Sequence) and calls and "function" not in calls[0]:
        told["tool_calls"] = [
            {
                "id": call["id"],
                "type": "function",
                "function": {"name": call["name"], "arguments": json.dumps(call["arguments"])},
            }
            for call in calls
        ]
    elif calls == []:
        del told["tool_calls"]  # some providers refuse an empty list
    return told
