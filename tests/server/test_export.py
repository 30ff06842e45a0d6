"""Exports: all of a session in one folder, which can be checked and looked at without the server."""

import asyncio
import io
import json
import threading
import zipfile
from pathlib import Path
from typing import get_args

import aiohttp
from typer.testing import CliRunner

from recorder import verification, vp8, webm
from recorder.digest import CHUNK
from recorder.vault import vault_path
from recorder.verification import FolderOnDisk, verify
from server import export
from server.cli import cli
from server.database import audit, now_ms
from server.sessions import tell
from signaling import messages as m
from tests.server.desk import Desk, open_desk
from tests.server.recorded_media import TAPE, Recorded, record
from tests.server_process import ServerProcess


async def download(desk: Desk, session: str, target: Path) -> Path:
    """What quinn downloads, unpacked."""
    answer = await desk.quinn.get(f"/api/recordings/{session}/export")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(answer.raw)) as archive:
        archive.extractall(target)
    return target / f"sightline-{session}"


async def test_a_download_holds_everything_verifies_and_is_audited(desk: Desk, tmp_path: Path) -> None:
    recorded = await record(desk)
    folder = await download(desk, recorded.session, tmp_path)
    report = verify(FolderOnDisk(folder), [desk.app.signer.key_id])
    assert (report.findings, report.interrupted) == ([], ["broken"])
    told = [json.loads(line) for line in (folder / "timeline.jsonl").read_text("utf-8").splitlines()]
    assert [event["seq"] for event in told] == [event.seq for event in await desk.app.timeline.read(recorded.session)]
    with desk.app.archive.open("finished") as stored:
        assert (folder / "media" / "finished.webm").read_bytes() == stored.read(0, stored.size)
    page = (folder / "index.html").read_text("utf-8")
    assert "Goodbye" in page and "</script><b>" not in page
    async with desk.app.database.read() as connection:
        rows = (await connection.execute(audit.select().where(audit.c.action == "recording.exported"))).all()
    assert [(row.user_id, row.object) for row in rows] == [(desk.quinn.user_id, recorded.session)]
    assert (await desk.quinn.get("/api/recordings/none/export")).code == "session_not_found"


async def test_what_is_damaged_or_gone_on_the_server_is_said_and_the_rest_is_exported(
    desk: Desk, tmp_path: Path
) -> None:
    recorded = await record(desk)
    path = vault_path(desk.app.archive.folder, recorded.finished)
    damaged = bytearray(path.read_bytes())
    damaged[CHUNK + 500] ^= 1
    path.write_bytes(damaged)
    desk.app.archive.shred(recorded.broken)
    folder = await download(desk, recorded.session, tmp_path)
    findings = verify(FolderOnDisk(folder)).findings
    assert [(finding.kind, finding.where) for finding in findings] == [
        ("altered", ("chunk", "finished", 1)), ("missing", ("segment", "broken")),
    ]  # fmt: skip
    assert "on the server" in findings[0].text


async def test_a_deleted_recording_is_exported_with_its_tombstone(desk: Desk, tmp_path: Path) -> None:
    recorded = await record(desk)
    recovered = m.ReportSegmentFinished("recovered", "broken", *desk.app.archive.recover("broken"))
    await tell(desk.app, recorded.session, recovered, TAPE)
    assert not any(verify(FolderOnDisk(await download(desk, recorded.session, tmp_path / "before")))[::2])
    order = {"ground": "customer_request", "reason": "Dana asked for it.", "articles": "keep"}
    assert (await desk.ada.post(f"/api/recordings/{recorded.session}/deletion", order)).status == 204
    folder = await download(desk, recorded.session, tmp_path)
    report = verify(FolderOnDisk(folder))
    assert report.findings == []
    assert any("was deleted on the server" in text for text in report.checked)
    assert "Dana" not in (folder / "timeline.jsonl").read_text("utf-8")
    statement = json.loads(json.loads((folder / "tombstone.json").read_text("utf-8"))["statement"])
    lines = [json.loads(line) for line in (folder / "timeline.jsonl").read_text("utf-8").splitlines()]
    assert [line["seq"] for line in lines if line["body"] is None] == statement["erased"] != []


def test_the_commands_export_and_check_and_name_what_is_wrong(tmp_path: Path) -> None:
    data = tmp_path / "data"

    async def prepare() -> Recorded:
        async with open_desk(data) as desk:
            return await record(desk)

    recorded = asyncio.run(prepare())
    run, folder = CliRunner(), tmp_path / "case"
    exported = run.invoke(cli, ["export", recorded.session, "--to", str(folder), "--data", str(data)])
    assert exported.exit_code == 0, exported.output
    again = run.invoke(cli, ["export", recorded.session, "--to", str(folder), "--data", str(data)])
    assert (again.exit_code, "is there already" in again.output) == (1, True)
    unknown = run.invoke(cli, ["export", "none", "--to", str(tmp_path / "no"), "--data", str(data)])
    assert (unknown.exit_code, "no such session" in unknown.output) == (1, True)
    good = run.invoke(cli, ["verify", str(folder)])
    assert (good.exit_code, good.output.startswith("INTERRUPTED, NOT TAMPERED")) == (0, True), good.output
    media = folder / "media" / "finished.webm"
    content = bytearray(media.read_bytes())
    content[-1] ^= 1
    media.write_bytes(content)
    bad = run.invoke(cli, ["verify", str(folder)])
    chunk = len(content) // verification.CHUNK
    assert bad.exit_code == 1
    assert f"Segment finished: chunk {chunk} is not what was recorded." in bad.output


def test_the_command_goes_through_the_server_when_it_runs(server: ServerProcess, tmp_path: Path) -> None:
    async def begin() -> str:
        new = {"title": "Printer", "problem": "", "priority": "normal", "customer_name": "", "customer_email": ""}
        async with await server.login("alice") as alice:
            async with alice.post(f"{server.url}/api/tickets", json=new) as answer:
                ticket = (await answer.json())["id"]
            async with alice.post(
                f"{server.url}/api/tickets/{ticket}/sessions", json={"ask_recording": True}
            ) as answer:
                return str((await answer.json())["session"])

    session, folder = asyncio.run(begin()), tmp_path / "cases" / "one"
    exported = CliRunner().invoke(cli, ["export", session, "--to", str(folder), "--data", str(server.data)])
    assert exported.exit_code == 0, exported.output
    assert verify(FolderOnDisk(folder)).findings == []
    assert list(folder.parent.iterdir()) == [folder]  # nothing else is left of the download
    unknown = CliRunner().invoke(cli, ["export", "none", "--to", str(tmp_path / "no"), "--data", str(server.data)])
    assert (unknown.exit_code, "no such session" in unknown.output) == (1, True)


async def test_a_download_that_is_given_up_leaves_no_thread_behind(desk: Desk) -> None:
    recorded = await record(desk)
    large = desk.app.archive.create("large")
    large.append(webm.header([webm.Track(vp8, (640, 360), b"")]))
    for second in range(40):
        large.append(webm.cluster([webm.Block(second * 1000, 1, True, bytes(500_000))]))
    large.finish(40_000)
    started = m.SegmentStarted("large", "dana", "VP8", now_ms())
    end = len(await desk.app.timeline.read(recorded.session))
    await desk.app.timeline.append(recorded.session, end, [m.Event(end + 1, now_ms(), "tape", started)], None)
    path = f"{desk.base}/api/recordings/{recorded.session}/export"
    headers = {"Authorization": f"Bearer {desk.app.process_secret}"}
    async with aiohttp.ClientSession(headers=headers) as http, http.get(path) as response:
        await response.content.readexactly(100_000)
        assert "export" in {thread.name for thread in threading.enumerate()}
    async with asyncio.timeout(20):
        while "export" in {thread.name for thread in threading.enumerate()}:
            await asyncio.sleep(0.02)


def test_every_kind_of_event_has_words_on_the_page() -> None:
    words = json.loads((Path(export.__file__).parent / "languages" / "en.json").read_text("utf-8"))
    kinds = {kind.__struct_config__.tag for kind in get_args(m.EventBody)} - {"body_erased"}
    assert {f"export.event.{kind}" for kind in kinds} <= words.keys()
