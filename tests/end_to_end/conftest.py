"""How long a page may take: as long as a busy machine needs. Nothing here is asserted on time."""

from playwright.async_api import expect as expect_async
from playwright.sync_api import expect

expect.set_options(timeout=20_000)
expect_async.set_options(timeout=20_000)
