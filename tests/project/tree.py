"""The files of the work tree that git knows or would take."""

import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("annotate", "signaling", "recorder", "agent_client", "customer_client", "server")
GENERATED = frozenset(
    {
        "annotate/browser/shapes.ts",
        "signaling/browser/messages.ts",
        "agent_client/browser/http.ts",
        "customer_client/browser/http.ts",
    }
)


def files(*suffixes: str) -> list[Path]:
    """Paths relative to the repository, of files with one of `suffixes` (all without any), sorted."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        check=True,
    ).stdout.decode()
    paths = {Path(name) for name in listed.split("\0") if name}
    return sorted(p for p in paths if (not suffixes or p.suffix in suffixes) and (REPOSITORY / p).is_file())
