"""A short run of the edits to evidence; the long one is `python -m tests.chaos.tamper`."""

from collections import Counter

from tests.chaos import tamper


def test_every_edit_is_found_and_rightly_named() -> None:
    results = tamper.run(600, seed=3, processes=1)
    assert [result for result in results if result.missed or result.wrongly_named] == []
    kinds = Counter(result.kind for result in results)
    assert {edit.__name__ for edit in tamper.FOLDER_EDITS} <= kinds.keys()
    assert kinds["timeline: rewrite"] > 0
