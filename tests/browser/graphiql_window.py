"""GraphiQL's page, as people see and use it."""

from typing import Any
from urllib.parse import urlencode

from tests.browser.chromium import Chromium
from tests.browser.window import Window

EDITOR = ".graphiql-query-editor .view-lines"
MODEL = "return __MONACO.editor.getModels().find((model) => model.uri.path.endsWith(arguments[0])).getValue()"
RESULTS = """return Array.from(document.querySelectorAll(".subscription-results li"), (line) => line.innerText)"""


class GraphiQLWindow:
    """A window with GraphiQL, with the tab `name` in front if that is given. Tabs are called like their operation."""

    def __init__(self, window: Window, name: str = "") -> None:
        self.window = window
        if name:
            # A tab that is left before the editor has its text loses it.
            self.window.until(lambda: bool(self.query), "has the text of its first tab")
            self.turn_to(name)

    def turn_to(self, name: str) -> None:
        """Clicks on the tab until it is in front: a click that comes while the page still starts has no effect."""

        def act() -> bool:
            if f" {name} " in self.query:
                return True
            tab = self.window.look(".graphiql-tab-button", name)
            if tab is not None:
                tab.click()
            return False

        self.window.until(act, f"has {name} in front")

    def execute(self) -> None:
        """Runs what is in front, or ends it where it is running."""
        self.window.click(".graphiql-execute-button")

    @property
    def query(self) -> str:
        return self.model("operation.graphql")

    @property
    def variables(self) -> str:
        return self.model("variables.json")

    @property
    def response(self) -> str:
        return self.model("response.json")

    def model(self, name: str) -> str:
        return self.window.run(MODEL, name)

    @property
    def results(self) -> list[str]:
        """The results of the subscription in front, and what is said of its connection, the newest first."""
        return self.window.run(RESULTS)

    def show(self, text: str) -> None:
        """Waits until the response has `text` in it."""
        self.window.until(lambda: text in self.response, f"responds {text}")

    def hear(self, text: str) -> None:
        """Waits until one of the results has `text` in it."""
        self.window.until(lambda: any(text in result for result in self.results), f"hears {text}")

    def wait_for_state(self, state: str) -> None:
        self.window.find("#graphiql-status", state)


def open_query(browser: Chromium, site: str, *, before: str = "", **parameters: Any) -> GraphiQLWindow:
    """GraphiQL, opened by a URL with `query` and other parameters; the script `before` runs first."""
    graphiql = GraphiQLWindow(browser.open(f"{site}/graphql?{urlencode(parameters)}", before))
    graphiql.window.until(lambda: graphiql.query == parameters["query"], "has the query of the URL")
    return graphiql
