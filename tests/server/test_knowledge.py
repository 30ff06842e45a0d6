"""Knowledge: a clip becomes an article, found by its words in every language, and read without a script."""

import asyncio
from pathlib import Path
from typing import Any

import av
import msgspec
import pytest

from server import demo, demo_recording, knowledge
from server.jobs import ClaimedJob, JobFinish
from server.worker import Advance, make
from tests.server.desk import Desk

MARKUP = "<script>alert('x')</script>"
BEGUN = demo_recording.STARTED_S * 1000


async def article(desk: Desk, title: str, text: str, state: Any = "published") -> str:
    async with desk.app.database.write() as connection:
        return await knowledge.insert_article(connection, title, text, desk.tess.user_id, state)


async def new_clip(desk: Desk, from_ms: int = 500, to_ms: int = 4500, **values: str) -> dict[str, Any]:
    """A clip of the demo's recording, in ms from the beginning of sharing."""
    begun = (await desk.app.timeline.read(demo.SESSION))[0].at + BEGUN
    marks = {"in_ms": begun + from_ms, "out_ms": begun + to_ms}
    return marks | {"title": "Blank pages", "text": "Switch **two-sided** off."} | values


async def work(desk: Desk) -> None:
    """Do one job, as the worker process does, in this process."""
    claimed = await desk.worker.post("/api/worker/claim")
    job = msgspec.json.decode(claimed.raw, type=ClaimedJob)
    result = await asyncio.to_thread(make, job.work, job.attempt, desk.app.data, desk.app.archive, Advance())
    body = msgspec.to_builtins(JobFinish(job.attempt, result))
    assert (await desk.worker.post(f"/api/worker/jobs/{job.id}/finish", body)).status == 204


async def test_a_clip_becomes_a_video_with_chapters_in_an_article_that_is_withdrawn_and_deleted_with_it(
    recorded_desk: Desk,
) -> None:
    desk = recorded_desk
    publication = await desk.tess.post(f"/api/recordings/{demo.SESSION}/clips", await new_clip(desk))
    assert publication.status == 200
    path = f"/api/articles/{publication.body['article']}"
    draft = (await desk.tess.get(path)).body
    assert (draft["state"], draft["video"]) == ("draft", None)
    assert (await desk.stranger.get(draft["url"])).status == 404
    await work(desk)
    published = (await desk.tess.get(path)).body
    assert published["state"] == "published"
    video = published["video"]
    assert (video["width"], video["height"]) == (1280, 720)
    assert abs(video["duration_ms"] - 4000) < 500
    assert "Choose the printer" in [chapter["title"] for chapter in video["chapters"]]
    job = (await desk.tess.get(f"/api/jobs/{published['job']}")).body
    assert (job["state"], job["progress"], job["result"]["slug"]) == ("done", 1.0, published["slug"])
    page = (await desk.stranger.get(published["url"])).raw.decode()
    assert "<video" in page
    assert "Choose the printer" in page
    assert "<strong>two-sided</strong>" in page

    (file,) = (desk.app.data / "media").glob("*.mp4")
    whole = await desk.stranger.get(f"/media/{file.name}")
    assert (whole.status, whole.headers["Content-Type"]) == (200, "video/mp4")
    part = await desk.stranger.get(f"/media/{file.name}", headers={"Range": "bytes=0-99"})
    assert (part.status, part.raw) == (206, whole.raw[:100])
    with av.open(str(file)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
    poster = await desk.stranger.get(f"/media/{file.stem}.jpg")
    assert poster.raw.startswith(b"\xff\xd8\xff")
    assert list((desk.app.data / "media").glob("*.part*")) == []

    hidden = await desk.tess.ask("PATCH", path, {"title": None, "text": None, "state": "draft"})
    assert hidden.body["state"] == "draft"
    for public in (published["url"], f"/media/{file.name}"):
        assert (await desk.stranger.get(public)).status == 404
    assert (await desk.stranger.get("/api/help-articles?q=blank")).body["articles"] == []
    assert (await desk.quinn.get(video["url"], headers={"Range": "bytes=0-9"})).status == 206
    assert (await desk.stranger.get(video["url"])).status == 401

    await desk.tess.ask("PATCH", path, {"title": None, "text": None, "state": "published"})
    assert len((await desk.stranger.get("/api/help-articles?q=blank")).body["articles"]) == 1
    assert (await desk.tess.ask("DELETE", path)).status == 204
    assert list((desk.app.data / "media").iterdir()) == []
    assert (await desk.stranger.get("/api/help-articles?q=blank")).body["articles"] == []
    assert (await desk.tess.get(f"/api/recordings/{demo.SESSION}")).status == 200


async def test_a_clip_outside_the_recording_or_upside_down_is_refused(recorded_desk: Desk) -> None:
    desk = recorded_desk
    path = f"/api/recordings/{demo.SESSION}/clips"
    for marks, code in (((4000, 500), "invalid_range"), ((-9000, -8000), "nothing_recorded")):
        answer = await desk.tess.post(path, await new_clip(desk, *marks))
        assert (answer.status, answer.code) == (400, code)
    assert (await desk.tess.post("/api/recordings/none/clips", await new_clip(desk))).status == 404
    for person in (desk.alice, desk.quinn):
        assert (await person.post(path, await new_clip(desk))).status == 403


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("подключить принтер", "Как подключить принтер"),
        ("ПОДКЛ", "Как подключить принтер"),
        ("елка", "Ёлка на экране"),
        ("ЁЛКИ", "Ёлка на экране"),
        ("συνδεση", "Σύνδεση στο δίκτυο"),
        ("ΔΙΚΤΥΟ", "Σύνδεση στο δίκτυο"),
        ("εκτυπωτής", "Σύνδεση στο δίκτυο"),
        ("ΕΚΤΥΠΩΤΗΣ", "Σύνδεση στο δίκτυο"),
        ("strasse", "Straße finden"),
    ],
)
async def test_search_folds_case_accents_yo_tonos_and_final_sigma(desk: Desk, query: str, title: str) -> None:
    await article(desk, "Как подключить принтер", "Откройте *Параметры*.")
    await article(desk, "Ёлка на экране", "Уберите ёлки.")
    await article(desk, "Σύνδεση στο δίκτυο", "Ανοίξτε τον ΕΚΤΥΠΩΤΉ. Ο εκτυπωτής είναι έτοιμος.")
    await article(desk, "Straße finden", "Karten")
    found = (await desk.stranger.get("/api/help-articles", params={"q": query})).body["articles"]
    assert [hit["title"] for hit in found] == [title]


@pytest.mark.parametrize("query", ['"', "*", "AND", "a AND", 'NEAR("x")', "title:x", "-", "(", "'; DROP TABLE x"])
async def test_signs_of_the_query_language_are_words_or_nothing(desk: Desk, query: str) -> None:
    await article(desk, "Plain", "text")
    for path in ("/api/help-articles", "/help"):
        assert (await desk.stranger.get(path, params={"q": query})).status == 200


async def test_a_word_in_the_title_comes_before_the_same_word_in_the_text(desk: Desk) -> None:
    await article(desk, "Something else", "printer printer printer " * 5)
    await article(desk, "The printer", "text")
    found = (await desk.stranger.get("/api/help-articles?q=printer")).body["articles"]
    assert [hit["title"] for hit in found] == ["The printer", "Something else"]


async def test_a_whole_sentence_suggests_what_shares_words_with_it(desk: Desk) -> None:
    await article(desk, "Blank invoices", "The printer needs its update.")
    await article(desk, "Passwords", "How to choose one.")
    sentence = {"q": "My invoices have come out of the printer empty since Monday"}
    found = (await desk.stranger.get("/api/help-articles", params=sentence)).body["articles"]
    assert [hit["title"] for hit in found] == ["Blank invoices"]


async def test_markup_in_title_text_and_query_comes_out_as_text(desk: Desk) -> None:
    made = await article(desk, MARKUP, f"{MARKUP}\n\n[x](javascript:alert(1)) <img src=x onerror=alert(1)>")
    url = (await desk.tess.get(f"/api/articles/{made}")).body["url"]
    for path, params in ((url, {}), ("/help", {}), ("/help", {"q": MARKUP}), ("/help", {"lang": MARKUP})):
        page = (await desk.stranger.get(path, params=params)).raw.decode()
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert 'href="javascript' not in page
    assert "&lt;script&gt;" in (await desk.stranger.get(url)).raw.decode()


@pytest.mark.parametrize(
    ("path", "headers", "language", "word"),
    [
        ("/help", {}, "en", "Help centre"),
        ("/help", {"Accept-Language": "ru-RU,ru;q=0.9,en;q=0.8"}, "ru", "Справочный центр"),
        ("/help", {"Accept-Language": "de,el;q=0.5,en;q=0.4"}, "el", "Κέντρο βοήθειας"),
        ("/help?lang=el", {"Accept-Language": "ru"}, "el", "Κέντρο βοήθειας"),
        ("/help", {"Cookie": "language=ru"}, "ru", "Справочный центр"),
        ("/help", {"Accept-Language": ";;q=x,*,q=;"}, "en", "Help centre"),
    ],
)
async def test_the_language_is_the_readers(
    desk: Desk, path: str, headers: dict[str, str], language: str, word: str
) -> None:
    answer = await desk.stranger.get(path, headers=headers)
    assert f'<html lang="{language}">' in answer.raw.decode()
    assert word in answer.raw.decode()


async def test_did_this_solve_it_is_counted_and_thanked_for(desk: Desk) -> None:
    made = await article(desk, "Plain", "text")
    url = (await desk.tess.get(f"/api/articles/{made}")).body["url"]
    for answer, path in (("yes", "?answered=yes#answer"), ("no", "?answered=no#answer"), ("no", "?answered=no#answer")):
        sent = await desk.stranger.ask("POST", f"{url}/answer", data={"solved": answer})
        assert (sent.status, sent.headers["Location"]) == (303, f"{url}{path}")
    counted = (await desk.tess.get(f"/api/articles/{made}")).body
    assert (counted["solved"], counted["unsolved"]) == (1, 2)
    assert "/get-help" in (await desk.stranger.get(f"{url}?answered=no")).raw.decode()
    foreign = await desk.stranger.ask(
        "POST", f"{url}/answer", data={"solved": "yes"}, headers={"Origin": "https://x.org"}
    )
    assert foreign.status == 403


async def test_an_unknown_article_is_a_page_that_says_where_to_look(desk: Desk) -> None:
    answer = await desk.stranger.get("/help/nothing-here")
    assert answer.status == 404
    assert "This article does not exist" in answer.raw.decode()


async def test_a_changed_article_is_found_by_its_new_words_alone_and_counts_its_views(desk: Desk) -> None:
    made = await article(desk, "Old words", "gone")
    path = f"/api/articles/{made}"
    change = {"title": "New words", "text": "**Fresh** text", "state": None}
    changed = (await desk.tess.ask("PATCH", path, change)).body
    assert (await desk.stranger.get("/api/help-articles?q=gone")).body["articles"] == []
    (hit,) = (await desk.stranger.get("/api/help-articles?q=fresh")).body["articles"]
    assert (hit["title"], hit["summary"]) == ("New words", "Fresh text")
    await desk.stranger.get(changed["url"])
    assert (await desk.tess.get(path)).body["views"] == 1
    for person in (desk.alice, desk.quinn):
        assert (await person.ask("PATCH", path, change)).status == 403
        assert (await person.ask("DELETE", path)).status == 403


async def test_two_articles_of_one_title_have_two_addresses(desk: Desk) -> None:
    made = [await article(desk, "Как подключить принтер!", "x") for _ in range(3)]
    urls = {(await desk.tess.get(f"/api/articles/{one}")).body["url"] for one in made}
    assert len(urls) == 3
    for url in urls:
        assert (await desk.stranger.get(url)).status == 200


async def test_media_names_never_lead_out_of_their_folder(desk: Desk) -> None:
    Path(desk.app.data / "media").mkdir(parents=True)
    for name in ("..%2Fsecret.key", "..%2f..%2fsightline.db", "secret.key", "x.mp4"):
        assert (await desk.stranger.get(f"/media/{name}")).status == 404
