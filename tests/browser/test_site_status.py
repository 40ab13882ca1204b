"""The page of the site's status in a browser: live, and honest where the server can't be reached."""

from django.contrib.auth.models import User
from django.test import Client

from chat.domain.people import Person
from chat.domain.rooms import find
from chat.storage import log
from tests.browser.chromium import Chromium

ASK = "document.dispatchEvent(new Event('visibilitychange'))"  # as when somebody comes back to the page


def test_site_page_shows_the_status_and_says_when_the_server_is_out_of_reach(browser: Chromium, site: str) -> None:
    client = Client()
    client.force_login(User.objects.create_user(username="ann", is_staff=True))
    window = browser.open(f"{site}/livez")
    window.driver.add_cookie({"name": "sessionid", "value": client.cookies["sessionid"].value, "path": "/"})
    window.go(f"{site}/admin/site/")
    window.find("#site-told", "Updates by itself")
    window.find("#site-facts dd", "MB of")
    window.find("#site-facts div", "Rooms\n0")

    log.append([log.Draft(room=find("new"), text="hi", person=Person(id="user-9", name="Zoë"), trusted=True)])
    window.run("window.reached = window.fetch; window.fetch = () => Promise.reject(new Error('away'))")
    window.run(ASK)
    window.find("#site-told.is-late", "The server can’t be reached. Trying again. What is below is")
    window.find("#site-facts div", "Rooms\n0")
    window.run("window.fetch = window.reached")
    window.run(ASK)
    window.find("#site-facts div", "Rooms\n1")
    window.find("#site-told:not(.is-late)", "Updates by itself")

    User.objects.update(is_staff=False)
    window.run(ASK)
    window.find("#site-told.is-late", "You are logged out")
