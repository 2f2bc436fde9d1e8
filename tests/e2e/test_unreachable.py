"""The network, the session or the server goes away in the middle: nothing typed is lost."""

from playwright.sync_api import Browser, Page

from tests.e2e.office import Office
from tests.upstream import Say
from ui.messages import say


def ready(page: Page) -> None:
    page.wait_for_selector("[data-atl-chat=ready]")


def test_a_message_that_did_not_arrive_is_in_the_composer_again(
    desk: Office, browser: Browser
) -> None:
    desk.script(Say("Here you are."))
    with desk.window(browser, "author", "en") as window:
        window.open("playground?agent=email-drafter")
        page = window.page
        ready(page)
        window.visitor.context.set_offline(True)
        page.locator("[data-atl-text]").fill("Typed with care.")
        page.locator("[data-atl-send]").click()
        page.wait_for_selector(".atl-answer[data-unsent]")
        assert page.locator("[data-atl-text]").input_value() == "Typed with care."
        window.visitor.context.set_offline(False)
        page.reload()
        ready(page)
        assert page.locator("[data-atl-text]").input_value() == "Typed with care."
        page.locator("[data-atl-send]").click()
        page.wait_for_selector(".atl-answer[aria-busy=false]")
        # an answer that could not be asked for again is still there, and so is who is signed in
        window.visitor.context.set_offline(True)
        page.locator("[data-atl-again]").click()
        page.wait_for_selector(".atl-answer .atl-ribbon[data-kind=error]")
        assert "Here you are." in page.locator(".atl-answer .atl-md").inner_text()
        page.locator("[data-atl-signout]:visible").click()
        page.wait_for_selector(".atl-toast")
        assert "/playground" in page.url
        window.visitor.wrong[:] = [
            each for each in window.visitor.wrong if "ERR_INTERNET_DISCONNECTED" not in each
        ]


def test_a_session_that_ends_keeps_what_was_typed(desk: Office, browser: Browser) -> None:
    with desk.window(browser, "officer", "fr") as window:
        window.open("retention")
        page = window.page
        form = page.locator("form[data-api='POST /api/v1/retention/holds']")
        form.evaluate("each => each.closest('details')?.setAttribute('open', '')")
        form.locator("[name=reason]").fill("Une raison")
        form.locator("[name=value]").fill("Sales")
        window.visitor.context.clear_cookies(name="atelier_session")
        form.locator("button[type=submit], button:not([type])").last.click()
        link = form.locator("[role=alert] a")
        link.wait_for()
        assert say("fr", "web.plain.again") in form.locator("[role=alert]").inner_text()
        assert link.get_attribute("href") == "/sign-in?next=%2Ffr%2Fretention"
        assert form.locator("[name=reason]").input_value() == "Une raison"
        window.visitor.wrong[:] = [each for each in window.visitor.wrong if "401" not in each]


def test_a_server_that_is_starting_empties_no_page(desk: Office, browser: Browser) -> None:
    with desk.window(browser, "officer", "en") as window:
        window.open("retention")
        page = window.page
        starting = "<!doctype html><title>Atelier</title><main>Starting</main>"
        page.route("**/en/retention", lambda route: route.fulfill(status=503, body=starting))
        page.evaluate(
            "import(document.querySelector('script[src*=\"/js/plain.js\"]').src)"
            ".then((plain) => plain.reload())"
        )
        page.wait_for_selector(".atl-toast")
        assert page.locator("#atl-content h1").count() == 1
        window.visitor.wrong[:] = [each for each in window.visitor.wrong if "503" not in each]


def test_what_is_being_written_stays_when_the_page_is_drawn_anew(
    desk: Office, browser: Browser
) -> None:
    with desk.window(browser, "officer", "en") as window:
        window.open("retention")
        page = window.page
        field = page.locator("form[data-api='POST /api/v1/retention/holds'] [name=reason]")
        field.evaluate("each => { each.value = 'Begun' }")
        page.evaluate(
            "import(document.querySelector('script[src*=\"/js/plain.js\"]').src)"
            ".then((plain) => { document.querySelector('#atl-content h1').dataset.old = '';"
            " return plain.reload(); })"
        )
        assert page.locator("#atl-content h1[data-old]").count() == 0
        assert field.input_value() == "Begun"


def test_a_payload_is_shown_whole_before_somebody_says_yes(desk: Office, browser: Browser) -> None:
    with desk.window(browser, "author", "en") as window:
        window.open("learn")
        shown = window.page.evaluate(
            """async () => {
              const shell = document.querySelector('script[src*="/js/shell.js"]').src;
              const { approvalCard } = await import(shell.replace("shell.js", "approval.js"));
              const say = Object.assign((key) => key, { has: () => false });
              const payload = { rows: [{ amount: 5 }, { amount: 7 }], to: ["a", "b"] };
              const asked = { id: "a", tool: "t", expires: 0, payload };
              const card = approvalCard(say, "en", asked, () => {});
              return [...card.querySelectorAll("dd")].map((each) => each.textContent);
            }"""
        )
        assert shown == ['{"amount":5}, {"amount":7}', "a, b"]


def test_no_page_scrolls_sideways_at_400_per_cent(desk: Office, browser: Browser) -> None:
    with desk.window(browser, "manager", "fr") as window:
        window.page.set_viewport_size({"width": 320, "height": 640})
        for path in ("people", "models", ""):
            window.open(path)
            width = window.page.evaluate("document.documentElement.scrollWidth")
            assert width <= 320, path
        small = window.page.evaluate(
            "[...document.querySelectorAll('.atl-top .atl-iconbutton')]"
            ".map((each) => each.getBoundingClientRect().width).filter((width) => width < 44)"
        )
        assert small == []


def test_the_builder_keeps_its_language_and_its_title(desk: Office, browser: Browser) -> None:
    # the browser speaks English, and Gradio would say so of a page in French
    with desk.window(browser, "author", "fr") as window:
        window.open("build")
        window.page.wait_for_selector("#atl-form")
        assert window.page.evaluate("document.documentElement.lang") == "fr"
        assert window.page.title().startswith(say("fr", "web.nav.build"))
