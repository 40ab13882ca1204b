"""A window that behaves as a phone's does."""

from tests.browser.window import Window

SIZE = {"width": 360, "height": 640, "deviceScaleFactor": 1, "mobile": True}


def become_phone(window: Window) -> Window:
    """From now on the window is as narrow as a phone's, and has no pointer but fingers."""
    window.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", SIZE)
    window.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    return window


def tap(window: Window, selector: str, text: str = "") -> None:
    """A finger touches the middle of an element."""
    box = window.run("return arguments[0].getBoundingClientRect().toJSON()", window.find(selector, text))
    point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    for kind, points in [("touchStart", [point]), ("touchEnd", [])]:
        window.driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
