"""An operator's first campaign, in headless Chromium, from the login to the dashboard. The content policy must not be broken once.

EXODASH_SCREENSHOTS=folder keeps a picture of every page at 1360 and 390 px in both themes.
"""

import csv
import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from tests import machine
from tests.acceptance.conftest import PASSWORD, wait_until

pytestmark = pytest.mark.browser
SWITCHES = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
SHOTS = os.environ.get("EXODASH_SCREENSHOTS")


@pytest.fixture(scope="module")
def chromium():
    path = machine.chromium()
    if path is None:
        pytest.skip("Chromium is not on this machine and cannot be installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=SWITCHES)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def page(chromium, installation):
    """A page whose every script error and policy violation is a failure."""
    context = chromium.new_context(viewport={"width": 1360, "height": 900}, base_url=installation.url)
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda message: message.type in {"error", "warning"} and page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.set_default_timeout(20_000)
    return page


@pytest.fixture(scope="module")
def sample(installation):
    return installation.folder / "sample-recipients.csv"


def picture(page, name):
    if not SHOTS:
        return
    for width, height in ((1360, 900), (390, 844)):
        for theme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme=theme)
            page.wait_for_timeout(400)
            page.screenshot(path=Path(SHOTS) / f"{name}-{width}-{theme}.png", full_page=True)
    page.set_viewport_size({"width": 1360, "height": 900})
    page.emulate_media(color_scheme="light")


def test_a_wrong_password_is_refused(page):
    page.goto("/")
    picture(page, "login")
    page.fill("[name=username]", "admin")
    page.fill("[name=password]", "wrong")
    page.click("[type=submit]")
    expect(page.locator("body")).to_contain_text("correct username and password")


def test_an_operator_logs_in_and_is_told_what_to_do_first(page):
    page.fill("[name=username]", "admin")
    page.fill("[name=password]", PASSWORD)
    page.click("[type=submit]")
    expect(page.locator("main")).to_contain_text("Send your first campaign")
    picture(page, "dashboard-empty")


def test_a_file_that_is_no_list_is_refused_in_one_sentence(page, tmp_path):
    page.goto("/campaigns/new/")
    picture(page, "new-1-file")
    bad = tmp_path / "photo.csv"
    bad.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\x00" * 200)
    page.fill("[name=name]", "Payment reminder")
    page.set_input_files("[name=file]", bad)
    page.get_by_text("Upload and continue").click()
    expect(page.locator("main")).to_contain_text("CSV")
    expect(page.locator("main")).to_contain_text("not a")


def test_columns_are_guessed_and_bad_rows_named_with_their_download(page, sample):
    page.goto("/campaigns/new/")
    page.fill("[name=name]", "Payment reminder")
    page.set_input_files("[name=file]", sample)
    page.get_by_text("Upload and continue").click()
    page.wait_for_url("**/columns/**")
    expect(page.locator("[name=phone]")).to_have_value("mobile")
    expect(page.locator("[name=var2]")).to_have_value("amount_due")
    expect(page.locator("main")).to_contain_text("your payment of Rs")
    page.get_by_role("button", name="Check the file").click()
    main = page.locator("main")
    expect(main).to_contain_text("ready to send", timeout=30_000)
    picture(page, "new-2-columns")
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("refused rows")).click()
    with Path(download.value.path()).open(encoding="utf-8-sig", newline="") as file:
        codes = {row["error_code"] for row in csv.DictReader(file)}
    assert codes == {"INVALID_PHONE", "DUPLICATE_ENTRY", "MISSING_REQUIRED", "INVALID_FORMAT"}


def test_the_message_is_previewed_with_characters_encoding_and_units(page):
    page.get_by_role("link", name=re.compile("Continue to message")).click()
    expect(page.locator("main")).to_contain_text("Dear")
    expect(page.locator("main")).to_contain_text("GSM-7")
    expect(page.locator("main")).to_contain_text(re.compile(r"1 unit"))
    picture(page, "new-3-message")


def test_the_review_shows_what_it_costs_and_the_launch_asks_first(page):
    page.get_by_role("link", name=re.compile("Continue")).last.click()
    page.wait_for_url("**/review/**")
    expect(page.locator("main")).to_contain_text("₹")
    picture(page, "new-4-review")
    boxes = page.locator("main input[type=checkbox]")
    for i in range(boxes.count()):
        boxes.nth(i).check()
    page.locator("main [type=submit]").last.click()
    page.wait_for_url("**/launch/**")
    picture(page, "new-5-launch")


def test_a_launched_campaign_is_watched_live_until_it_is_sent(page, installation):
    page.locator("main [type=submit]").last.click()
    page.wait_for_url(re.compile(r"/campaigns/\d+/$"))
    expect(page.locator("main")).to_contain_text("Finished", timeout=60_000)
    wait_until(lambda: len(installation.ledger()) > 900, "the simulator has the messages")
    picture(page, "campaign")


def test_failures_are_explained_with_what_to_do(page, installation):
    api = installation.api()
    pk = re.search(r"/campaigns/(\d+)/", page.url).group(1)
    wait_until(lambda: api.campaign(pk)["delivery"]["awaiting"] == 0, "all reports are in", 60)
    page.reload()
    expect(page.locator("main")).to_contain_text("Number is on Do Not Disturb")
    expect(page.locator("main")).to_contain_text("23005")
    picture(page, "campaign-delivered")


def test_the_dashboard_shows_today(page):
    page.goto("/")
    expect(page.locator("main")).to_contain_text("Why messages failed")
    expect(page.locator("main")).to_contain_text("Delivered")
    page.wait_for_timeout(800)
    picture(page, "dashboard")


PAGES = [
    "campaigns",
    "messages",
    "alerts",
    "codes",
    "webhooks",
    "webhooks/new",
    "campaigns/template",
    "campaigns/account",
    "campaigns/suppression",
    "auth/user",
]
PAGES += [
    "auth/user/add",
    "campaigns/template/add",
    "campaigns/account/1/change",
    "campaigns/apitoken",
    "campaigns/auditevent",
]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_of_the_menu_opens(page, path):
    answer = page.goto(f"/{path}/")
    assert answer.status == 200
    expect(page.locator("h1").first).to_be_visible()
    picture(page, path.replace("/", "-"))


@pytest.mark.parametrize(
    "path",
    ["", "campaigns", "messages", "alerts", "campaigns/new", "codes", "webhooks", "webhooks/new", "campaigns/template"],
)
def test_no_page_is_wider_than_a_phone(page, path):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"/{path}/" if path else "/")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.set_viewport_size({"width": 1360, "height": 900})


def test_the_api_pages_open_under_the_same_policy(page):
    page.goto("/api/v1/docs/")
    expect(page.locator("body")).to_contain_text("/api/v1/campaigns/")


def test_nothing_broke_the_content_policy(page):
    refused = "the server responded with a status of 422"  # the file that is no list, refused on purpose
    assert [text for text in page.complaints if refused not in text] == []
