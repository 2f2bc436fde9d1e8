"""The small embedded model, fetched once for the machine."""

import pytest

from sandbox.broker.model_fetch import fetch
from sandbox.broker.model_pins import folders, locate, pinned


@pytest.fixture(scope="session")
def small_model() -> None:
    """The fallback model lies in the shared cache (93 MB, fetched on a fresh machine)."""
    model = pinned("fallback")
    if locate(model, folders()) is None:
        fetch(model, folders()[0])
