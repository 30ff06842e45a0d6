"""The help centre: published articles as plain pages that need no script, found by their words."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
from aiohttp import web
from jinja2 import Environment, FileSystemLoader
from markdown_it import MarkdownIt
from markupsafe import Markup
from sqlalchemy import Row, Select, func, or_, select, text as sql
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from server.app import App
from server.database import articles, clips
from server.folding import any_expression, like_patterns, match_expression
from server.knowledge import article_url, folder, video_of
from server.problems import Invalid, Missing
from server.routes import route

# --- Records ---


class HelpArticle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A published article in a list; `summary` is plain text, `poster` the address of a picture."""

    title: str
    url: str
    summary: str
    has_video: bool
    poster: str | None


class HelpArticles(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    articles: list[HelpArticle]


# --- Operations ---

Rows = Sequence[Row[Any]]
LANGUAGES = {"en": "English", "ru": "Русский", "el": "Ελληνικά"}
MAX_FOUND = 50
_HERE = Path(__file__).parent
_SUMMARY = 180
_WRITTEN = frozenset({"text", "code_inline"})
_BREAK = {"softbreak": " ", "hardbreak": " "}
_YEAR_S = 31_536_000
_MIME = {".mp4": "video/mp4", ".jpg": "image/jpeg"}

_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
_pages = Environment(loader=FileSystemLoader(_HERE / "templates"), autoescape=True, trim_blocks=True)


@cache
def dictionary(language: str) -> dict[str, str]:
    """The phrases of a language."""
    found: dict[str, str] = json.loads((_HERE / "languages" / f"{language}.json").read_text("utf-8"))
    return found


def translator(language: str) -> Callable[..., str]:
    """A function from a phrase's key and its values to the phrase."""
    phrases = dictionary(language)
    return lambda key, **values: phrases[key].format(**values)


def language_of(request: web.Request) -> str:
    """The language that was chosen, or else the first that the browser asks for and we have."""
    for chosen in (request.query.get("lang"), request.cookies.get("language")):
        if chosen in LANGUAGES:
            return chosen
    wanted: list[tuple[float, int, str]] = []
    for place, part in enumerate(request.headers.get("Accept-Language", "")[:500].split(",")):
        tag, _, quality = part.partition(";q=")
        try:
            wanted.append((-float(quality or 1), place, tag.strip().lower()[:2]))
        except ValueError:
            continue
    return next((tag for _, _, tag in sorted(wanted) if tag in LANGUAGES), "en")


def html_of(text: str) -> Markup:
    """Markdown as HTML; markup in it comes out as text."""
    return Markup(_markdown.render(text))  # noqa: S704 - rendered with html off


def summary_of(text: str) -> str:
    """The beginning of a Markdown text without its marks."""
    runs: list[str] = []
    for token in _markdown.parse(text):
        if token.type == "inline":
            children = token.children or []
            runs.append("".join(c.content if c.type in _WRITTEN else _BREAK.get(c.type, "") for c in children))
    plain = " ".join(" ".join(runs).split())
    return plain if len(plain) <= _SUMMARY else plain[:_SUMMARY].rsplit(" ", 1)[0] + "…"


def _published() -> Select[Any]:
    made = (
        clips.c.media_file,
        clips.c.poster_file,
        clips.c.duration_ms,
        clips.c.width,
        clips.c.height,
        clips.c.chapters,
    )
    joined = select(articles, *made).outerjoin(clips, clips.c.id == articles.c.clip_id)
    return joined.where(articles.c.state == "published")


async def find(connection: AsyncConnection, query: str, limit: int = MAX_FOUND) -> Rows:
    """Published articles with all words of `query`, the best first; the newest first without one."""
    expression = match_expression(query)
    if expression is None:
        if query.strip():
            return []
        newest = _published().order_by(articles.c.updated_at.desc()).limit(limit)
        latest: Rows = (await connection.execute(newest)).all()
        return latest
    if connection.dialect.name == "sqlite":
        return await _ranked(connection, expression, limit)
    rows = _published()
    for pattern in like_patterns(query):
        rows = rows.where(articles.c.search_text.like(pattern))
    found: Rows = (await connection.execute(rows.order_by(articles.c.updated_at.desc()).limit(limit))).all()
    return found


async def _ranked(connection: AsyncConnection, expression: str, limit: int) -> Rows:
    matching = sql(
        "SELECT article FROM article_search JOIN articles ON articles.id = article"
        " WHERE article_search MATCH :words AND articles.state = 'published'"
        " ORDER BY bm25(article_search, 0, 8, 1), articles.updated_at DESC LIMIT :most"
    )
    found = (await connection.execute(matching, {"words": expression, "most": limit})).scalars().all()
    rows = {row.id: row for row in await connection.execute(_published().where(articles.c.id.in_(found)))}
    return [rows[article] for article in found if article in rows]


async def near(connection: AsyncConnection, text: str, limit: int) -> Rows:
    """Published articles that share longer words with a text."""
    if connection.dialect.name == "sqlite":
        expression = any_expression(text)
        return await _ranked(connection, expression, limit) if expression else []
    alike = [articles.c.search_text.like(pattern) for pattern in like_patterns(text)]
    return (await connection.execute(_published().where(or_(*alike)).limit(limit))).all() if alike else []


async def related(connection: AsyncConnection, article: Row[Any]) -> Rows:
    """Up to three other published articles that share words of the title."""
    return [row for row in await near(connection, article.title, 4) if row.id != article.id][:3]


def listed(row: Row[Any]) -> HelpArticle:
    """A row as it stands in a list."""
    poster = f"/media/{row.poster_file}" if row.poster_file else None
    return HelpArticle(row.title, article_url(row.slug), summary_of(row.text), row.media_file is not None, poster)


def clock(milliseconds: int) -> str:
    """`m:ss`, or `h:mm:ss`."""
    minutes, seconds = divmod(milliseconds // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def page(request: web.Request, app: App, template: str, status: int = 200, **values: object) -> web.Response:
    """A page from its template, in the reader's language."""
    language = language_of(request)

    def switch(code: str) -> str:
        return urlencode({**{k: v for k, v in request.query.items() if k != "answered"}, "lang": code})

    html = _pages.get_template(template).render(
        {
            "t": translator(language),
            "language": language,
            "languages": LANGUAGES,
            "switch": switch,
            "organization": app.settings.organization,
            "query": "",
            **values,
        }
    )
    headers = {"Cache-Control": "no-cache", "Content-Language": language, "Vary": "Accept-Language, Cookie"}
    response = web.Response(text=html, content_type="text/html", status=status, headers=headers)
    if request.query.get("lang") in LANGUAGES:
        response.set_cookie("language", language, max_age=_YEAR_S, path="/", samesite="Lax", secure=app.settings.secure)
    return response


async def _count(app: App, article: str, column: str) -> None:
    """One more view or answer; that it can't be counted at the moment is no reason to fail."""
    try:
        async with app.database.write() as connection:
            more = {column: articles.c[column] + 1}
            await connection.execute(articles.update().where(articles.c.id == article).values(more))
    except (OperationalError, TimeoutError):
        return


# --- Routes ---


@route("GET", "/api/help-articles", "public", limit="120/minute")
async def get_help_articles(request: web.Request, app: App) -> HelpArticles:
    """Suggestions for who waits; `q` for words, of which some are enough when no article has them all."""
    query = request.query.get("q", "")[:200]
    async with app.database.read() as connection:
        rows = await find(connection, query, 10) or await near(connection, query, 4)
    return HelpArticles([listed(row) for row in rows])


@route("GET", "/help", "public")
async def get_help(request: web.Request, app: App) -> web.StreamResponse:
    """The help centre's first page, and what a search found."""
    query = request.query.get("q", "").strip()[:200]
    async with app.database.read() as connection:
        rows = await find(connection, query)
    return page(request, app, "help.html", articles=[listed(row) for row in rows], query=query)


@route("GET", "/help/{slug}", "public")
async def get_help_page(request: web.Request, app: App) -> web.StreamResponse:
    """An article; `t` is the second at which its video starts."""
    async with app.database.read() as connection:
        of_slug = _published().where(articles.c.slug == request.match_info["slug"])
        row = (await connection.execute(of_slug)).one_or_none()
        if row is None:
            return page(request, app, "missing.html", status=404, what="article")
        others = await related(connection, row)
    answered = request.query.get("answered")
    if answered not in {"yes", "no"}:
        answered = None
        await _count(app, row.id, "views")
    start = request.query.get("t", "")
    video = video_of(row, f"/media/{row.media_file}", f"/media/{row.poster_file}")
    chapters = [
        {"title": chapter.title, "seconds": str(chapter.at_ms // 1000), "time": clock(chapter.at_ms)}
        for chapter in (video.chapters if video else [])
    ]
    return page(
        request, app, "article.html", article=row, html=html_of(row.text), video=video, chapters=chapters,
        start=start if start.isascii() and start.isdigit() else None, answered=answered,
        updated=datetime.fromtimestamp(row.updated_at / 1000, UTC).date().isoformat(),
        related=[listed(other) for other in others],
    )  # fmt: skip


@route("POST", "/help/{slug}/answer", "public", limit="20/minute")
async def post_answer(request: web.Request, app: App) -> web.StreamResponse:
    """Did this solve it? One answer of the form on an article's page."""
    try:
        form = await request.post()
    except (ValueError, LookupError, AssertionError):
        raise Invalid("invalid_body", "The answer is not understood. Use the buttons below the article.") from None
    answer = "yes" if form.get("solved") == "yes" else "no"
    slug = request.match_info["slug"]
    async with app.database.read() as connection:
        row = (await connection.execute(_published().where(articles.c.slug == slug))).one_or_none()
    if row is None:
        return page(request, app, "missing.html", status=404, what="article")
    await _count(app, row.id, "solved" if answer == "yes" else "unsolved")
    return web.Response(status=303, headers={"Location": f"{article_url(slug)}?answered={answer}#answer"})


@route("GET", "/media/{file}", "public")
async def get_media(request: web.Request, app: App) -> web.StreamResponse:
    """A video or poster of a published article; Range is served."""
    name = request.match_info["file"]
    async with app.database.read() as connection:
        shown = _published().where(or_(clips.c.media_file == name, clips.c.poster_file == name))
        row = (await connection.execute(select(func.count()).select_from(shown.subquery()))).scalar_one()
    if not row:
        raise Missing("media_not_found", "There is no such video or picture, or it is not published any more.")
    path = folder(app.data) / name
    return web.FileResponse(path, headers={"Content-Type": _MIME[path.suffix], "Cache-Control": "no-cache"})
