""" "The model will see": a text through the real screening, with a vault that is thrown away."""

import secrets
from functools import cache

from guardrails.errors import GuardrailError
from guardrails.findings import Screened
from guardrails.screen import policy_of
from guardrails.vault import Vault
from ui.messages import say_error
from ui.web.components.passport import preview
from ui.web.place import Place


def seen_by_model(place: Place, text: str, guard: str, pseudonyms: str = "placeholders") -> str:
    """The ribbon for `text` under a guard profile, with placeholders or with stand-ins; nothing is
    kept."""
    if not text.strip():
        return str(preview(place, None))
    if not place.app.screen_ready:
        return str(preview(place, None, place.say("web.build.screen-warming")))
    try:
        vault = Vault("preview", _key())
        screened: Screened = place.app.screen.text(text, vault, policy=policy_of(guard))
    except GuardrailError as error:
        return str(preview(place, None, say_error(place.language, error.code, **error.data)))
    if pseudonyms != "surrogates":
        return str(preview(place, screened))
    stand_ins, kinds = vault.surrogates(place.language), vault.placeholders()
    stand_ins.dress(screened.text, kinds)  # the whole first: what stands in it is no stand-in
    return str(preview(place, screened, dress=lambda token: stand_ins.dress(token, kinds)))


@cache
def _key() -> bytes:
    """One for the process, so that stand-ins do not change with every letter somebody types."""
    return secrets.token_bytes(32)
