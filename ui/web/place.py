"""What a part of a page needs to know of where it stands, whoever draws the page."""

from typing import TYPE_CHECKING, Protocol

from ui.messages import Language

if TYPE_CHECKING:
    from ui.wiring import App


class Place(Protocol):
    """One language of the pages over one house."""

    @property
    def app(self) -> "App":
        """The composition root."""
        ...

    @property
    def language(self) -> Language:
        """The page's language."""
        ...

    def say(self, key: str, **data: object) -> str:
        """The wording of `key` in that language."""
        ...
