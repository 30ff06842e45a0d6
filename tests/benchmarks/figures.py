"""Figures out of many runs."""

import json
import statistics
from collections.abc import Iterator, Mapping, Sequence


def median(values: Sequence[float]) -> float:
    """The middle value, to a tenth."""
    return round(statistics.median(values), 1)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` of the values do not exceed, to a tenth (nearest rank)."""
    ranked = sorted(values)
    rank = max(1, -(-len(ranked) * percent // 100))
    return round(ranked[int(rank) - 1], 1)


def tell(figures: Mapping[str, object]) -> None:
    """Print the figures as a table for people, and as one JSON object in the last line."""
    rows = list(_rows(figures))
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:<{width}}  {value}")
    print(json.dumps(figures))


def _rows(figures: Mapping[str, object], above: str = "") -> Iterator[tuple[str, object]]:
    for name, value in figures.items():
        if isinstance(value, Mapping):
            yield from _rows(value, f"{above}{name} ")
        else:
            yield f"{above}{name}", value
