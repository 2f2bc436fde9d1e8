"""litellm, set to keep quiet, call nobody and never retry. The only file that imports it, and late:
that costs seconds.
"""

import logging
import os
from functools import cache
from typing import Any

from sandbox.broker.providers import LOOPBACK

MOST_UNPRICED = 1_000


@cache
def library() -> Any:
    """litellm, imported on first use and set to keep quiet, call nobody and never retry."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else the import fetches a price list
    # a company's proxy must not see what is said to a model on this very machine
    for name in ("no_proxy", "NO_PROXY"):
        os.environ[name] = ",".join(filter(None, (os.environ.get(name), *LOOPBACK)))
    import litellm

    litellm.telemetry = False
    litellm.suppress_debug_info = True
    litellm.turn_off_message_logging = True
    litellm.drop_params = True
    litellm.num_retries = 0
    litellm.callbacks = []
    litellm.success_callback = []
    litellm.failure_callback = []
    # aiohttp sessions outlive their loop and leak sockets in tests and on restart: plain httpx
    litellm.disable_aiohttp_transport = True
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy", "httpx", "openai"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # their messages quote content
    return litellm


_unpriced: set[str] = set()  # models that the list has no price of: asking again takes as long


def cost(model: str, sent: int, made: int) -> float:
    """What a call of so many tokens costs, US dollars; 0 where the price is not known.

    Before the library is loaded nothing is known, and loading it here would hold the caller up for
    seconds.
    """
    if not library.cache_info().currsize or model in _unpriced:
        return 0.0
    try:
        costs = library().cost_per_token(model=model, prompt_tokens=sent, completion_tokens=made)
    except Exception:  # litellm raises a bare Exception for models without a price: cost unknown
        if len(_unpriced) < MOST_UNPRICED:
            _unpriced.add(model)
        return 0.0
    return float(sum(costs))
