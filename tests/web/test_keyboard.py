"""All by keyboard: signing in, making a service, tabs, a dialog and a table; the focus is seen and comes back."""

from playwright.sync_api import Locator, Page, expect

from narthex.testing.system import System
from web.conftest import Open

FAR = 80  # tab stops; more than any page has before its content
# What of the focused element tells that it is: an outline, a shadow or a border other than without the focus.
SEEN = """async () => {
  const focused = document.activeElement
  const around = [focused, focused.parentElement, focused.parentElement?.parentElement, focused.nextElementSibling,
                  ...focused.children].filter(Boolean)
  const look = async () => {
    await Promise.allSettled(document.getAnimations().filter(a => a.effect.getComputedTiming().endTime < Infinity)
      .map(a => a.finished))
    return around.map(e => getComputedStyle(e))
      .map(s => [s.outlineStyle, s.outlineWidth, s.boxShadow, s.borderColor].join()).join(';')
  }
  const having = await look()
  focused.blur()
  const without = await look()
  focused.focus({focusVisible: true})
  return having !== without
}"""


def tab_to(page: Page, target: Locator, key: str = "Tab") -> None:
    """Press Tab until the target has the focus, and look whether one sees it there."""
    expect(target).to_be_visible()
    for _ in range(FAR):
        page.keyboard.press(key)
        if target.evaluate("element => element === document.activeElement"):
            assert page.evaluate(SEEN), f"nothing shows that {target} has the focus"
            return
    raise AssertionError(f"{target} is not reached by keyboard")


def test_a_service_is_made_looked_at_and_deleted_without_a_mouse(open_page: Open, system: System) -> None:
    page = open_page("/login")
    sign_in(page, system.token)
    make(page, "by-keyboard")
    look_through_tabs(page)
    open_a_row(page, "by-keyboard")
    delete(page, "by-keyboard")


def sign_in(page: Page, token: str) -> None:
    tab_to(page, page.get_by_role("tab", selected=True))
    page.keyboard.press("ArrowRight")
    tab_to(page, page.get_by_label("Token", exact=True).and_(page.locator("input")))
    page.keyboard.type(token)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Services", exact=True)).to_be_visible()


def make(page: Page, name: str) -> None:
    tab_to(page, page.get_by_role("link", name="Create service"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Create a service")).to_be_visible()
    field = page.get_by_label("Name")
    if not field.evaluate("element => element === document.activeElement"):
        tab_to(page, field)
    page.keyboard.type(name)
    tab_to(page, page.get_by_role("combobox", name="Deployment"))
    page.keyboard.press("ArrowDown")
    page.keyboard.type("hello")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_label("Port"))
    page.keyboard.press("Control+A")
    page.keyboard.type("9300")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=name)).to_be_visible()


def look_through_tabs(page: Page) -> None:
    tab_to(page, page.get_by_role("tab", selected=True).first)
    for tab in ("Instances", "Requests"):
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        expect(page.get_by_role("tab", name=tab)).to_have_attribute("aria-selected", "true")
        expect(page.get_by_role("tab", name=tab)).to_be_focused()


def open_a_row(page: Page, name: str) -> None:
    tab_to(page, page.get_by_role("link", name="Services", exact=True).first, "Shift+Tab")
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("link", name=name, exact=True))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=name)).to_be_visible()


def delete(page: Page, name: str) -> None:
    tab_to(page, page.get_by_role("tab", selected=True).first)
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    opens = page.get_by_role("button", name=f"Delete {name}")
    tab_to(page, opens)
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(opens).to_be_focused()  # where one was before
    page.keyboard.press("Enter")
    expect(dialog.locator(":focus")).to_have_count(1)
    confirm = dialog.get_by_label(f"Type {name} to confirm")
    for _ in range(FAR):  # the focus stays in the dialog
        page.keyboard.press("Tab")
        assert dialog.evaluate("dialog => dialog.contains(document.activeElement)")
        if confirm.evaluate("element => element === document.activeElement"):
            break
    page.keyboard.type(name)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Services", exact=True)).to_be_visible()
