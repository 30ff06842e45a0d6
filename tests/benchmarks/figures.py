"""Figures out of many runs."""

import json
import statistics
from collections.abc import Sequence


def median(values: Sequence[float]) -> float:
    """The middle value, to a tenth."""
    return round(statistics.median(values), 1)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` of the values do not exceed, to a tenth (nearest rank)."""
    ranked = sorted(values)
    rank = max(1, -(-len(ranked) * percent // 100))
    return round(ranked[int(rank) - 1], 1)


def tell(figures: dict[str, object]) -> None:
    """Print the figures as one JSON object."""
    print(json.dumps(figures, indent=2))
