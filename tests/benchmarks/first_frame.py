"""From the click on "share" to the first decoded frame at the agent: `python -m tests.benchmarks.first_frame`.

The product, with its real server, is measured in turn with the bare reference (`bare.py`) in the same two browsers, and
both share the same window: a page of text that stands still. The figures are in ms. `steps` says where the time goes:
to the captured stream, then to the connected peer connection, then to the decoded frame.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from typing import NamedTuple

from playwright.async_api import BrowserContext, Page

from tests.benchmarks.bare import bare_server
from tests.benchmarks.browsers import DESK_PAGE, THE_DESK, Missing, Pair, pair
from tests.benchmarks.figures import median, percentile, tell
from tests.benchmarks.milestones import codec, forget, milestone, watch
from tests.benchmarks.workspace import Workspace, workspace

SHARE = "Choose what to share"
REACHABLE = 1.3


class Run(NamedTuple):
    """Times of one run, ms since 1970."""

    clicked: float
    captured: float
    connected: float
    decoded: float

    @property
    def total(self) -> float:
        return self.decoded - self.clicked


async def click(customer: Page, agent: Page, button: str) -> Run:
    """Click, and wait for the first frame at the agent."""
    target = customer.get_by_role("button", name=button, exact=True)
    await target.wait_for()
    await forget(customer)
    await target.click()
    decoded = await milestone(agent, "decoded")
    clicked, captured, connected = [await milestone(customer, name) for name in ("clicked", "captured", "connected")]
    return Run(clicked, captured, connected, decoded)


async def ours(place: Workspace, browsers: Pair, alice: BrowserContext) -> tuple[Run, str]:
    """One run of the product in a session of its own, and the codec that was chosen."""
    session, link = await place.start_session(alice)
    dana = await browsers.customer.new_context(locale="en")
    agent, customer = await alice.new_page(), await dana.new_page()
    try:
        for page in (agent, customer):
            await watch(page)
        await agent.goto(f"{place.url}/console/sessions/{session}")
        await customer.goto(link)
        run = await click(customer, agent, SHARE)
        return run, await codec(agent)
    finally:
        await agent.close()
        await dana.close()


async def bare(url: str, browsers: Pair) -> Run:
    """One run of the reference."""
    contexts = [await browsers.agent.new_context(), await browsers.customer.new_context()]
    try:
        agent, customer = [await context.new_page() for context in contexts]
        for page in (agent, customer):
            await watch(page)
        await agent.goto(f"{url}/viewer")
        await customer.goto(f"{url}/sender")
        return await click(customer, agent, "share")
    finally:
        for context in contexts:
            await context.close()


def steps(runs: Sequence[Run]) -> dict[str, float]:
    """The median of each step."""
    return {
        "capture_ms": median([run.captured - run.clicked for run in runs]),
        "connect_ms": median([run.connected - run.captured for run in runs]),
        "decode_ms": median([run.decoded - run.connected for run in runs]),
    }


async def measure(count: int, uncounted: int = 1) -> dict[str, object]:
    """`count` runs of each, in turn, after others that are not counted."""
    async with pair(THE_DESK) as browsers, workspace() as place:
        return await measured(browsers, place, count, uncounted)


async def measured(browsers: Pair, place: Workspace, count: int, uncounted: int) -> dict[str, object]:
    """The same with browsers that share `THE_DESK`."""
    desk = await browsers.customer.new_page(viewport={"width": 1280, "height": 720})
    await desk.set_content(DESK_PAGE)
    alice = await browsers.agent.new_context(locale="en")
    await place.sign_in(alice)
    first, chosen = await ours(place, browsers, alice)
    async with bare_server(chosen) as url:
        product, reference = [first], [await bare(url, browsers)]
        for _ in range(count + uncounted - 1):
            product.append((await ours(place, browsers, alice))[0])
            reference.append(await bare(url, browsers))
    product, reference = product[uncounted:], reference[uncounted:]
    totals, bare_totals = [run.total for run in product], [run.total for run in reference]
    return {
        "median_ms": median(totals),
        "p95_ms": percentile(totals, 95),
        "bare_median_ms": median(bare_totals),
        "bare_p95_ms": percentile(bare_totals, 95),
        "ratio": round(median(totals) / median(bare_totals), 2),
        "to_reach": {"ratio": REACHABLE},
        "steps": steps(product),
        "bare_steps": steps(reference),
        "codec": chosen,
        "runs": count,
    }


def main() -> int:
    """Print the figures; 1 when a program that they need is not installed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.first_frame", description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    try:
        tell(asyncio.run(measure(parser.parse_args().runs)))
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
