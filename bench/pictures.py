"""Take the pictures of docs/pictures: every page in both languages, on a phone and in the dark.

    python -m bench.pictures [folder [page ...]]

Starts the product on throw-away homes with a scripted model server, lets a sample office live in it
(`bench.sample_office`), and photographs what is really on the pages. Also prints the weight of some
pages, first visit and second.
"""

import io
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import yaml
from PIL import Image
from playwright.sync_api import Browser, Page

from bench.sample_office import Office, live, office
from tests.e2e.browser import Visit, chromium, visit
from ui.messages import LANGUAGES
from ui.web.nav import PAGES

WORDS = Path(__file__).with_name("sample_office.yaml")
# whose page it is; everybody else's are the author's
WHO = {
    "create": "ana",
    "share": "ana",
    "understand": "ana",
    "me": "ana",
    "govern": "olga",
    "manage": "max",
}
SIZES = {
    "en": (("desktop", False, False), ("dark", False, True)),
    "fr": (("desktop", False, False), ("phone", True, False)),
}


def main(folder: Path, only: tuple[str, ...] = ()) -> None:
    """Take every picture into `folder`, or those of some pages."""
    folder.mkdir(parents=True, exist_ok=True)
    words = yaml.safe_load(WORDS.read_text("utf-8"))
    with chromium() as browser:
        for language in LANGUAGES:
            home = Path(tempfile.mkdtemp(prefix="atelier-pictures-")) / "home"
            with office(home, language, words[language]) as here:
                live(here, words[language])
                for size, phone, dark in SIZES[language]:
                    for who, scenes in by_person(here, only).items():
                        shoot(here, browser, who, scenes, folder, size, phone=phone, dark=dark)
                if language == "en" and not only:
                    for page, (cold, warm) in weigh(here, browser):
                        print(f"{page:<14} cold {cold:6.0f} KB   warm {warm:6.0f} KB")


def by_person(here: Office, only: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """Every picture's name and address, by the person who looks."""
    places = here.places
    given = {
        "build": f"build?agent={places['guide']}",
        "playground": f"playground?{places['talk']}",
        "evaluation": f"evaluation?agent={places['guide']}&run={places['run']}",
        "publish": f"publish?request={places['request']}",
        "published": f"published?agent={places['guide']}",
        "policies": f"policies?draft={places['draft']}&as=rehearsal",
    }
    found: dict[str, dict[str, str]] = {}
    for page in PAGES:
        who = {"publish": "chloe", "reports": "chloe", "exceptions": "olga"}.get(
            page.id, WHO[page.group]
        )
        found.setdefault(who, {})[page.id] = given.get(page.id, page.path.lstrip("/"))
    found["ana"]["approval"] = f"playground?{places['waiting']}"
    found["chloe"]["queue"] = "publish"
    found["dan"] = {"colleague": f"playground?{places['used']}"}
    found["olga"]["rules"] = "policies"
    if only:
        found = {
            who: {name: path for name, path in scenes.items() if name in only}
            for who, scenes in found.items()
        }
    return found


def shoot(
    here: Office,
    browser: Browser,
    who: str,
    scenes: dict[str, str],
    folder: Path,
    size: str,
    *,
    phone: bool,
    dark: bool,
) -> None:
    """One person's pages in one size."""
    with visit(browser, here.house.address, phone=phone, dark=dark) as visitor:
        url = here.house.address
        visitor.context.add_cookies(
            [
                {"name": "atelier_session", "value": here.cookies[who], "url": url},
                {"name": "atelier_language", "value": here.language, "url": url},
            ]
        )
        page = visitor.page()
        for name, path in scenes.items():
            visitor.open(page, f"/{here.language}/{path}")
            ready(page, name, here)
            save(page, folder / f"{name}-{here.language}-{size}.png")
            for complaint in visitor.wrong:
                print(f"{name} {here.language} {size}: {complaint}", flush=True)
            visitor.wrong.clear()


def ready(page: Page, name: str, here: Office) -> None:
    """Wait for what comes after the page, and open what the picture is about."""
    if name in ("playground", "approval", "colleague"):
        page.locator(".atl-answer").last.wait_for()
    elif name == "build":
        page.wait_for_selector("#atl-passport")
    elif name == "audit":
        page.locator("[data-record-trace]").first.click()
        page.locator("#atl-detail .atl-water").wait_for()
    elif name == "compare":
        page.locator("textarea[name=text]").fill(
            {
                "en": "Write to Claire Fontaine (claire.fontaine@example.com, 06 12 34 56 78): "
                "the workshop moves to room 12.",
                "fr": "Écrivez à Claire Fontaine (claire.fontaine@example.com, 06 12 34 56 78) : "
                "l’atelier est déplacé en salle 12.",
            }[here.language]
        )
        page.locator("#atl-compare [data-kind=primary]").click()
        page.wait_for_timeout(4_000)
    page.wait_for_timeout(1_200 if name == "audit" else 400)


def save(page: Page, path: Path) -> None:
    """A picture in 256 colours: a third of the size, and nobody sees it."""
    whole = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    whole.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)


def weigh(here: Office, browser: Browser) -> Iterator[tuple[str, tuple[float, float]]]:
    """KB over the wire of each page: first visit, second visit."""
    for path, who in (("", "ana"), ("playground", "ana"), ("build", "ana"), ("audit", "olga")):
        with visit(browser, here.house.address) as visitor:
            visitor.context.add_cookies(
                [
                    {
                        "name": "atelier_session",
                        "value": here.cookies[who],
                        "url": here.house.address,
                    }
                ]
            )
            yield path or "home", (_weight(visitor, path), _weight(visitor, path))


def _weight(visitor: Visit, path: str) -> float:
    page = visitor.page()
    network = visitor.context.new_cdp_session(page)
    network.send("Network.enable")
    sizes: list[float] = []
    network.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    visitor.open(page, f"/en/{path}")
    page.wait_for_timeout(800)
    page.close()
    return sum(sizes) / 1024


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/pictures"), tuple(sys.argv[2:]))
