"""An export's page: opened from the disk, without a server, it plays the recording beside its timeline."""

import io
import zipfile
from pathlib import Path

from playwright.sync_api import Browser, expect

from recorder.verification import FolderOnDisk, verify
from tests.end_to_end.player.conftest import OpenPage
from tests.end_to_end.player.recorded import Recorded
from tests.end_to_end.player.watching import expect_accessible

PLAY = """() => new Promise((played, failed) => {
  const video = document.querySelector("video");
  video.muted = true;
  video.addEventListener("timeupdate", () => video.currentTime > 0.2 && played());
  video.play().catch(failed);
})"""


def test_quinn_downloads_the_session_checks_it_and_looks_at_it_from_the_disk(
    recorded: Recorded, open_page: OpenPage, chromium: Browser, tmp_path: Path
) -> None:
    signed_in = open_page("quinn", "/console/library").context.request
    answer = signed_in.get(f"/api/recordings/{recorded.session}/export")
    with zipfile.ZipFile(io.BytesIO(answer.body())) as archive:
        archive.extractall(tmp_path)
    folder = tmp_path / f"sightline-{recorded.session}"
    assert verify(FolderOnDisk(folder)).findings == []

    context = chromium.new_context(locale="ru-RU", offline=True)
    page = context.new_page()
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.on("console", lambda line: failures.append(line.text) if line.type == "error" else None)
    page.goto((folder / "index.html").as_uri())
    expect(page.get_by_role("heading", name="Ход сеанса")).to_be_visible()
    page.get_by_label("Язык").select_option("en")
    rows = page.locator("#timeline li")
    expect(rows).to_have_count(len(recorded.page["events"]))
    page.locator("#timeline li", has_text="Sharing started").get_by_role("button").click()
    page.evaluate(PLAY)
    expect(page.locator("#timeline li[aria-current]")).to_have_count(1)
    expect_accessible(page)
    assert failures == []
    page.screenshot(path=tmp_path / "export.png", full_page=True)
    context.close()
