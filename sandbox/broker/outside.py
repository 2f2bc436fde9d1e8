"""The ways out of the house, as tools see them."""

from collections.abc import Sequence
from dataclasses import dataclass

from agents.tools.base import Letter, Page
from sandbox.broker.fetch import Fetcher, ToText
from sandbox.broker.mail import Mailer


@dataclass(frozen=True)
class Doors:
    """`agents.tools.base.Outside` over one fetcher and one mailer."""

    fetcher: Fetcher
    mailer: Mailer
    to_text: ToText

    def no_fetch(self, address: str) -> str | None:
        """Why an address cannot be read, or None."""
        return self.fetcher.hosts.no(address)

    def no_mail(self, recipients: Sequence[str]) -> str | None:
        """Why nothing can be sent to these, or None."""
        return self.mailer.no(recipients)

    async def fetch(self, address: str) -> Page:
        """One page's text. Raises NotDone."""
        return await self.fetcher.page(address, self.to_text)

    async def send_mail(self, letter: Letter) -> str:
        """Send it. Raises NotDone."""
        return await self.mailer.send(letter)
