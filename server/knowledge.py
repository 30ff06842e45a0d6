"""Knowledge: clips cut out of recordings, and the articles around them. What readers see is in `help_centre`."""

import asyncio
import hashlib
from itertools import chain, count
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

import msgspec
from aiohttp import web
from sqlalchemy import Row, Select, select, text as sql
from sqlalchemy.ext.asyncio import AsyncConnection

from server import audit
from server.app import App
from server.database import articles, clips, new_id, now_ms, users
from server.folding import search_text, words
from server.jobs import (
    KINDS,
    ClipChapter,
    ClipResult,
    ClipSource,
    ClipWork,
    JobKind,
    Kind,
    PublishedClip,
    SnapshotSource,
    enqueue,
)
from server.limits import address_of
from server.logins import User
from server.problems import Conflict, Invalid, Missing
from server.recordings import pictures_of
from server.routes import route
from signaling.messages import SnapshotTaken

# --- Records ---

ArticleState = Literal["draft", "published"]
ArticleTitle = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
ArticleText = Annotated[str, msgspec.Meta(max_length=100_000)]


class NewClip(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The part of a recording between two moments of its timeline (ms since 1970), and the article to make of it."""

    in_ms: int
    out_ms: int
    title: ArticleTitle
    text: ArticleText


class Publication(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The job that makes the video; the article is a draft until it is done."""

    job: str
    article: str


class ArticleVideo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    url: str
    poster: str
    duration_ms: int
    width: int
    height: int
    chapters: list[ClipChapter]


class ArticleSummary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`url` is its public page; `solved` and `unsolved` count the readers' answers."""

    id: str
    slug: str
    title: str
    state: ArticleState
    author_name: str | None
    created_at: int
    updated_at: int
    views: int
    solved: int
    unsolved: int
    url: str


class ArticleList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    articles: list[ArticleSummary]


class Article(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An article for its editor; `text` is Markdown, `session` the recording that its video came from."""

    id: str
    slug: str
    title: str
    text: str
    state: ArticleState
    session: str | None
    job: str | None
    video: ArticleVideo | None
    author_name: str | None
    created_at: int
    updated_at: int
    views: int
    solved: int
    unsolved: int
    url: str


class ArticleChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """New values; null leaves a value as it is. An article whose video is not made yet can't be published."""

    title: ArticleTitle | None
    text: ArticleText | None
    state: ArticleState | None


# --- Operations ---

MAX_CLIP_MS = 60 * 60_000
_KIND: JobKind = "publish_clip"


class ClipOrder(msgspec.Struct, frozen=True):
    """What is kept with the job."""

    clip: str
    article: str


def folder(data: Path) -> Path:
    """Where published videos and posters lie."""
    return data / "media"


def article_url(slug: str) -> str:
    """An article's public page."""
    return f"/help/{quote(slug)}"


async def _free_slug(connection: AsyncConnection, title: str) -> str:
    base = "-".join(words(title))[:80].strip("-") or "article"
    taken = set((await connection.execute(select(articles.c.slug).where(articles.c.slug.like(f"{base}%")))).scalars())
    return next(slug for slug in chain([base], (f"{base}-{i}" for i in count(2))) if slug not in taken)


async def index(connection: AsyncConnection, article: str, title: str, text: str) -> None:
    """Make the article found by its words; SQLite has a full-text index beside `search_text`."""
    folded = search_text(title, text)
    await connection.execute(articles.update().where(articles.c.id == article).values(search_text=folded))
    if connection.dialect.name == "sqlite":
        await _unindex(connection, article)
        add = sql("INSERT INTO article_search (rowid, article, title, text) VALUES (:row, :id, :title, :text)")
        values = {"row": _row(article), "id": article, "title": search_text(title), "text": search_text(text)}
        await connection.execute(add, values)


async def _unindex(connection: AsyncConnection, article: str) -> None:
    await connection.execute(sql("DELETE FROM article_search WHERE rowid = :row"), {"row": _row(article)})


def _row(article: str) -> int:
    """An article's row of the full-text index, which would have to be read whole to find one by a text id."""
    return int.from_bytes(hashlib.sha256(article.encode()).digest()[:8]) >> 1


async def insert_article(
    connection: AsyncConnection, title: str, text: str, author_id: str | None, state: ArticleState = "draft"
) -> str:
    """A new article inside a transaction of the caller; returns its id."""
    article, now = new_id(), now_ms()
    await connection.execute(
        articles.insert().values(
            id=article, slug=await _free_slug(connection, title), title=title, text=text, state=state,
            session_id=None, clip_id=None, job_id=None, search_text="", created_at=now, updated_at=now,
            author_id=author_id, views=0, solved=0, unsolved=0,
        )
    )  # fmt: skip
    await index(connection, article, title, text)
    return article


async def publish(app: App, session: str, new: NewClip, user_id: str, address: str = "console") -> Publication:
    """Queue the making of a clip, with its article as a draft; raises `Missing` or `Invalid`."""
    timeline = await app.timeline.read(session)
    segments = await asyncio.to_thread(pictures_of, timeline, session, app.data)
    if not segments:
        raise Missing("recording_not_found", "There is no such recording. Look for it in the library.")
    if not 0 < new.out_ms - new.in_ms <= MAX_CLIP_MS:
        raise Invalid("invalid_range", "A clip ends after it begins and lasts an hour at most. Mark it again.")
    if not any(s.started_at < new.out_ms and s.started_at + s.duration_ms > new.in_ms for s in segments):
        raise Invalid("nothing_recorded", "Nothing was recorded between these two moments. Mark it again.")
    title = " ".join(new.title.split())
    if not title:
        raise Invalid("title_empty", "An article needs a title. Say in a few words what it shows.")
    clip = new_id()
    async with app.database.write() as connection:
        await connection.execute(
            clips.insert().values(
                id=clip, session_id=session, in_ms=new.in_ms, out_ms=new.out_ms, title=title, media_file=None,
                poster_file=None, chapters="[]", duration_ms=None, width=None, height=None,
            )
        )  # fmt: skip
        article = await insert_article(connection, title, new.text, user_id)
        job = await enqueue(connection, _KIND, msgspec.json.encode(ClipOrder(clip, article)), user_id)
        made_of = {"session_id": session, "clip_id": clip, "job_id": job}
        await connection.execute(articles.update().where(articles.c.id == article).values(**made_of))
        await audit.record(connection, user_id, "clip.ordered", article, address)
    return Publication(job, article)


async def prepare(app: App, arguments: bytes) -> ClipWork:
    """All that the worker needs for the clip; raises `Missing`."""
    order = msgspec.json.decode(arguments, type=ClipOrder)
    async with app.database.read() as connection:
        clip = (await connection.execute(select(clips).where(clips.c.id == order.clip))).one_or_none()
    if clip is None:
        raise Missing("clip_not_found", "The article was deleted before its video was made.")
    timeline = await app.timeline.read(clip.session_id)
    segments = await asyncio.to_thread(pictures_of, timeline, clip.session_id, app.data)
    sources = [
        ClipSource(s.id, s.started_at, s.duration_ms)
        for s in segments
        if s.started_at < clip.out_ms and s.started_at + s.duration_ms > clip.in_ms
    ]
    pictures = [
        SnapshotSource(event.body.surface.id, str(Path("snapshots") / event.body.surface.id))
        for event in timeline
        if isinstance(event.body, SnapshotTaken)
    ]
    media, poster = f"media/{clip.id}.mp4", f"media/{clip.id}.jpg"
    return ClipWork(clip.title, clip.in_ms, clip.out_ms, sources, pictures, timeline, media, poster)


async def finished(connection: AsyncConnection, arguments: bytes, result: ClipResult) -> PublishedClip | None:
    """The clip is made: its article is published, unless it was deleted meanwhile."""
    order = msgspec.json.decode(arguments, type=ClipOrder)
    await connection.execute(
        clips.update().where(clips.c.id == order.clip).values(
            media_file=f"{order.clip}.mp4", poster_file=f"{order.clip}.jpg", duration_ms=result.duration_ms,
            width=result.width, height=result.height, chapters=msgspec.json.encode(result.chapters).decode(),
        )
    )  # fmt: skip
    change = articles.update().where(articles.c.id == order.article).values(state="published", updated_at=now_ms())
    slug = (await connection.execute(change.returning(articles.c.slug))).scalar_one_or_none()
    return PublishedClip(order.article, slug) if slug else None


KINDS[_KIND] = Kind(prepare, finished)


def _articles() -> Select[Any]:
    of_clip = ("media_file", "poster_file", "duration_ms", "width", "height", "chapters")
    made = [clips.c[name] for name in of_clip]
    return (
        select(articles, users.c.name.label("author_name"), *made)
        .outerjoin(users, users.c.id == articles.c.author_id)
        .outerjoin(clips, clips.c.id == articles.c.clip_id)
    )


def video_of(row: Row[Any], url: str, poster: str) -> ArticleVideo | None:
    """The video of a row of articles with their clips, once it is made."""
    if row.media_file is None:
        return None
    chapters = msgspec.json.decode(row.chapters, type=list[ClipChapter])
    return ArticleVideo(url, poster, row.duration_ms, row.width, row.height, chapters)


async def find_article(connection: AsyncConnection, article: str) -> Article:
    """An article for its editor; raises `Missing`."""
    row = (await connection.execute(_articles().where(articles.c.id == article))).one_or_none()
    if row is None:
        raise _missing()
    return Article(
        id=row.id, slug=row.slug, title=row.title, text=row.text, state=row.state, session=row.session_id,
        job=row.job_id, video=video_of(row, f"/api/articles/{row.id}/video", f"/api/articles/{row.id}/poster"),
        author_name=row.author_name, created_at=row.created_at, updated_at=row.updated_at, views=row.views,
        solved=row.solved, unsolved=row.unsolved, url=article_url(row.slug),
    )  # fmt: skip


async def change_article(connection: AsyncConnection, article: str, change: ArticleChange) -> None:
    """Store the values that are not null; raises `Missing`, or `Conflict` when there is no video to publish yet."""
    row = (await connection.execute(_articles().where(articles.c.id == article))).one_or_none()
    if row is None:
        raise _missing()
    if change.state == "published" and row.clip_id and not row.media_file:
        raise Conflict("video_not_made", "The video is still being made. The article is published once it is done.")
    values = {name: value for name, value in msgspec.structs.asdict(change).items() if value is not None}
    if "title" in values and not values["title"].strip():
        raise Invalid("title_empty", "An article needs a title. Say in a few words what it shows.")
    if values:
        await connection.execute(
            articles.update().where(articles.c.id == article).values(**values, updated_at=now_ms())
        )
        await index(connection, article, values.get("title", row.title), values.get("text", row.text))


async def delete_article(app: App, article: str, user_id: str, address: str) -> None:
    """Take an article, its clip and their files away; the recording stays. Raises `Missing`."""
    async with app.database.write() as connection:
        names = await take_away(connection, article)
        await audit.record(connection, user_id, "article.deleted", article, address)
    for name in names:
        await asyncio.to_thread((folder(app.data) / name).unlink, missing_ok=True)


async def take_away(connection: AsyncConnection, article: str) -> list[str]:
    """Delete an article and its clip inside a transaction of the caller; the files that then go. Raises `Missing`."""
    row = (await connection.execute(_articles().where(articles.c.id == article))).one_or_none()
    if row is None:
        raise _missing()
    await connection.execute(articles.delete().where(articles.c.id == article))
    if row.clip_id:
        await connection.execute(clips.delete().where(clips.c.id == row.clip_id))
    if connection.dialect.name == "sqlite":
        await _unindex(connection, article)
    return [name for name in (row.media_file, row.poster_file) if name]


def _missing() -> Missing:
    return Missing("article_not_found", "There is no such article. Look for it in the list of articles.")


# --- Routes ---


@route("POST", "/api/recordings/{session}/clips", "clip.create")
async def post_clip(request: web.Request, app: App, user: User, body: NewClip) -> Publication:
    """Publish a part of a recording."""
    address = address_of(request, app.settings.trusted_proxies)
    return await publish(app, request.match_info["session"], body, user.id, address)


@route("GET", "/api/articles", "article.read")
async def get_articles(request: web.Request, app: App) -> ArticleList:
    """All articles, drafts too; the one that was changed last comes first."""
    async with app.database.read() as connection:
        rows = (await connection.execute(_articles().order_by(articles.c.updated_at.desc()))).all()
    return ArticleList(
        [
            ArticleSummary(
                id=row.id, slug=row.slug, title=row.title, state=row.state, author_name=row.author_name,
                created_at=row.created_at, updated_at=row.updated_at, views=row.views, solved=row.solved,
                unsolved=row.unsolved, url=article_url(row.slug),
            )
            for row in rows
        ]
    )  # fmt: skip


@route("GET", "/api/articles/{article}", "article.read")
async def get_article(request: web.Request, app: App) -> Article:
    """An article for its editor."""
    async with app.database.read() as connection:
        return await find_article(connection, request.match_info["article"])


@route("PATCH", "/api/articles/{article}", "article.write")
async def patch_article(request: web.Request, app: App, user: User, body: ArticleChange) -> Article:
    """New values of an article."""
    article, address = request.match_info["article"], address_of(request, app.settings.trusted_proxies)
    action = f"article.{body.state}" if body.state else "article.changed"
    async with app.database.write() as connection:
        await change_article(connection, article, body)
        await audit.record(connection, user.id, action, article, address)
        return await find_article(connection, article)


@route("DELETE", "/api/articles/{article}", "article.write")
async def remove_article(request: web.Request, app: App, user: User) -> None:
    """Delete an article with its video."""
    address = address_of(request, app.settings.trusted_proxies)
    await delete_article(app, request.match_info["article"], user.id, address)


async def _made(request: web.Request, app: App, column: str, mime: str) -> web.StreamResponse:
    async with app.database.read() as connection:
        found = _articles().where(articles.c.id == request.match_info["article"])
        row = (await connection.execute(found)).one_or_none()
    name = row._mapping[column] if row else None
    if name is None:
        raise _missing()
    return web.FileResponse(
        folder(app.data) / name, headers={"Content-Type": mime, "Cache-Control": "private, no-cache"}
    )


@route("GET", "/api/articles/{article}/video", "article.read")
async def get_video(request: web.Request, app: App) -> web.StreamResponse:
    """An article's video, a draft's as well; Range is served."""
    return await _made(request, app, "media_file", "video/mp4")


@route("GET", "/api/articles/{article}/poster", "article.read")
async def get_poster(request: web.Request, app: App) -> web.StreamResponse:
    """An article's poster, a draft's as well."""
    return await _made(request, app, "poster_file", "image/jpeg")
