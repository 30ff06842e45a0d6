"""From a recording to an article: a trainer marks a part of it, and the public finds it with its video."""

import re
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Page, expect

from tests.end_to_end.player.conftest import OpenPage
from tests.end_to_end.player.recorded import BITS, Recorded, counted
from tests.end_to_end.player.watching import PINK, expect_accessible, is_near, jump, open_player, seek

TEXT = "Open **Settings**.\n\n1. Click the box.\n2. Type `<script>alert(1)</script>`."


def publish(page: Page, recorded: Recorded, title: str) -> None:
    """Marks the clip from before the box to after the change of size, by keyboard, and sends it off."""
    seek(page, recorded, recorded.at("bookmark_added") - 400)
    page.keyboard.press("[")
    jump(page, "The shared surface changed")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("]")
    form = page.get_by_role("region", name="Make an article of it")
    expect(form.get_by_text("Where the settings are")).to_be_visible()
    expect(form.get_by_text("Step 1 Click here")).to_be_visible()
    form.get_by_label("Title").fill(title)
    form.get_by_label("Text").fill(TEXT)
    form.get_by_role("button", name="Publish").click()


def atoms(data: bytes) -> list[str]:
    """The names of an MP4's outermost boxes, in their order."""
    found, place = [], 0
    while place + 8 <= len(data):
        size, name = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8].decode("ascii")
        found.append(name)
        place += size if size >= 8 else len(data)
    return found


def frame_at(container: av.container.InputContainer, seconds: float) -> NDArray[np.uint8]:
    """The picture that is seen at a moment of a video, as height × width × RGB."""
    container.seek(0)
    shown = None
    for frame in container.decode(video=0):
        if shown is not None and float(frame.time or 0) > seconds:
            break
        shown = frame
    assert shown is not None
    return np.asarray(shown.to_ndarray(format="rgb24"), np.uint8)


def count_of(picture: NDArray[np.uint8]) -> int:
    """What the blocks along a picture's lower edge count."""
    height, width = picture.shape[:2]
    return counted([int(picture[int(height * 0.95), int((bit + 0.5) * width / BITS), 1]) for bit in range(BITS)])


@pytest.fixture(scope="module")
def titles() -> dict[str, str]:
    """The address of the article once it is published."""
    return {}


def test_a_trainer_publishes_a_part_of_it_and_sees_the_progress(
    open_page: OpenPage, recorded: Recorded, titles: dict[str, str]
) -> None:
    page = open_page("tessa", f"/console/library/{recorded.session}")
    open_player(page)
    page.get_by_role("button", name="Make an article").click()
    expect_accessible(page)
    publish(page, recorded, "Find the printer again")
    expect(page.get_by_role("progressbar", name="How far the video is")).to_be_visible()
    link = page.get_by_role("link", name="Read the article")
    expect(link).to_be_visible(timeout=120_000)
    expect(page.get_by_text("The article is public.")).to_be_visible()
    titles["url"] = link.get_attribute("href") or ""
    assert titles["url"].startswith("/help/find-the-printer")


def test_the_public_finds_the_article_and_its_video_plays(
    open_page: OpenPage, recorded: Recorded, titles: dict[str, str], tmp_path: Path
) -> None:
    page = open_page(None, "/help")
    expect_accessible(page)
    page.get_by_label("What do you need help with?").fill("printer settings")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name=re.compile("Find the printer again")).click()
    expect(page.get_by_role("heading", name="Find the printer again")).to_be_visible()
    assert page.url.endswith(titles["url"])
    assert page.locator("script:not([src])").count() == 0
    expect(page.get_by_text("<script>alert(1)</script>")).to_be_visible()
    expect_accessible(page)
    chapters = page.get_by_role("navigation", name="Chapters")
    expect(chapters.get_by_role("link")).to_contain_text(["Where the settings are", "Click here"])
    chapters.get_by_role("link").last.click()
    page.wait_for_function(
        "() => document.querySelector('video').currentTime > 1 && !document.querySelector('video').error"
    )
    step = (recorded.at("annotation_added", 1) - recorded.at("bookmark_added") + 400) / 1000
    time = page.evaluate("() => { const v = document.querySelector('video'); v.pause(); return v.currentTime }")
    assert time == pytest.approx(step, abs=1.5)
    assert page.evaluate("() => document.querySelector('video').videoWidth") > 0

    source = page.locator("video").get_attribute("src") or ""
    media = page.request.get(source.partition("#")[0])
    assert media.headers["content-type"] == "video/mp4"
    ranged = page.request.get(source.partition("#")[0], headers={"Range": "bytes=0-99"})
    assert (ranged.status, len(ranged.body())) == (206, 100)
    poster = page.request.get(page.locator("video").get_attribute("poster") or "")
    assert poster.headers["content-type"].startswith("image/")

    data = media.body()
    assert atoms(data).index("moov") < atoms(data).index("mdat"), "it starts to play before all of it is there"
    with av.open(BytesIO(data), "r") as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        named = {c["metadata"]["title"]: float(c["start"] * (c["time_base"] or 0)) for c in container.chapters()}
        assert named["Where the settings are"] == pytest.approx(0.4, abs=0.3)
        assert [at for title, at in named.items() if "Click here" in title] == [pytest.approx(step, abs=0.3)]
        begin = recorded.at("bookmark_added") - 400
        box = (recorded.at("annotation_added") - begin) / 1000
        before, after = frame_at(container, box - 0.4), frame_at(container, box + 0.5)
        assert after.shape[:2] == (720, 1280)
        assert is_near(after[360, 960], PINK, within=60)
        assert is_near(after[288, 320], PINK, within=60)
        assert not is_near(before[360, 960], PINK, within=60)
        assert not is_near(after[360, 930], PINK, within=60)
        assert 3 <= count_of(after) - count_of(before) <= 18, "the picture moves on beneath the ink"


@pytest.mark.parametrize("name", ["quinn", "alice"])
def test_who_is_no_trainer_can_play_but_not_publish(open_page: OpenPage, recorded: Recorded, name: str) -> None:
    page = open_page(name, f"/console/library/{recorded.session}")
    open_player(page)
    page.keyboard.press("[")
    expect(page.get_by_role("button", name="Make an article")).to_have_count(0)
    expect(page.get_by_role("button", name="Publish")).to_have_count(0)
    clip = {"in_ms": recorded.start, "out_ms": recorded.start + 3000, "title": "No", "text": ""}
    page.goto("/console/articles")
    expect(page.get_by_role("listitem").filter(has_text="Find the printer again")).to_contain_text("Published")
    expect(page.get_by_role("button", name=re.compile("Unpublish|Edit:|Delete"))).to_have_count(0)
    answer = page.request.post(f"/api/recordings/{recorded.session}/clips", data=clip)
    assert answer.status == 403
    assert "Your role" in answer.json()["error"]["text"]


def test_what_cannot_be_published_is_said_in_words(open_page: OpenPage, recorded: Recorded) -> None:
    page = open_page("tessa", f"/console/library/{recorded.session}")
    open_player(page)
    page.get_by_role("button", name="Make an article").click()
    form = page.get_by_role("region", name="Make an article of it")
    form.get_by_label("Title").fill("   ")
    expect(form.get_by_role("button", name="Publish")).to_be_disabled()
    form.get_by_label("Title").fill("Cut off")
    page.context.set_offline(True)
    form.get_by_role("button", name="Publish").click()
    expect(form.get_by_role("alert")).to_be_visible()
    expect(form.get_by_label("Title")).to_have_value("Cut off")
    expect(form.get_by_role("button", name="Publish")).to_be_enabled()
    page.context.set_offline(False)


def test_a_trainer_edits_unpublishes_and_deletes_an_article(
    open_page: OpenPage, recorded: Recorded, titles: dict[str, str]
) -> None:
    page = open_page("tessa", "/console/articles")
    row = page.get_by_role("listitem").filter(has_text="Find the printer again")
    expect(row).to_contain_text("Published")
    expect_accessible(page)
    row.get_by_role("button", name="Edit").click()
    dialog = page.get_by_role("dialog", name="Edit the article")
    dialog.get_by_label("Title").fill("Find the scanner again")
    dialog.get_by_role("button", name="Save").click()
    row = page.get_by_role("listitem").filter(has_text="Find the scanner again")
    row.get_by_role("button", name="Unpublish").click()
    expect(row).to_contain_text("Draft")
    assert page.request.get(titles["url"]).status == 404
    row.get_by_role("button", name="Publish").click()
    expect(row).to_contain_text("Published")
    assert page.request.get(titles["url"]).status == 200
    row.get_by_role("button", name="Delete").click()
    asked = page.get_by_role("dialog", name="Delete this article?")
    expect(asked).to_contain_text("The recording stays.")
    asked.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("Find the scanner again", exact=True)).to_have_count(0)
    assert page.request.get(titles["url"]).status == 404


def test_an_administrator_adds_a_user_and_disables_them(open_page: OpenPage) -> None:
    page = open_page("ada", "/console/users")
    expect(page.get_by_role("heading", name="Users")).to_be_visible()
    expect_accessible(page)
    page.get_by_role("button", name="Add a user").first.click()
    dialog = page.get_by_role("dialog", name="Add a user")
    dialog.get_by_label("Name").fill("Nora")
    dialog.get_by_label("E-mail").fill("nora@example.org")
    dialog.get_by_label("Role").select_option("qa")
    dialog.get_by_label("First password").fill("a long enough password")
    dialog.get_by_role("button", name="Add a user").click()
    row = page.get_by_role("listitem").filter(has_text="nora@example.org")
    expect(row.get_by_label("Role of Nora")).to_have_value("qa")
    row.get_by_label("Role of Nora").select_option("trainer")
    expect(page.get_by_text("The role of Nora was changed.")).to_be_visible()
    row.get_by_role("button", name="Disable").click()
    expect(row).to_contain_text("disabled")
    nora = {"email": "nora@example.org", "password": "a long enough password"}
    assert page.request.post("/api/login", data=nora).status == 401


def test_nobody_else_administers_users(open_page: OpenPage) -> None:
    page = open_page("alice", "/console/users")
    expect(page.get_by_text("Your role may not do this.")).to_be_visible()
    expect(page.get_by_role("button", name="Add a user")).to_have_count(0)
    assert page.request.get("/api/users").status == 403
