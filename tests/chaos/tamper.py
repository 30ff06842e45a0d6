"""Edits to exported sessions and closed timelines: `python -m tests.chaos.tamper --edits 100000`.

Each edit is one that somebody could make who has the files, and for some the database, but not the server's key. It is
`missed` when nothing is found, and `wrongly_named` when what is found first is not where the edit is, or when a cut, a
file put back to an older state, and a swapped segment are not told apart. The last line is the result as JSON.
"""

import argparse
import concurrent.futures
import json
import multiprocessing
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from recorder import verification
from signaling import checkpoints
from signaling.timeline import Sealed
from tests.chaos import edits, forgeries
from tests.chaos.edits import Edited
from tests.chaos.evidence import Evidence, MemoryFolder, prepare

SHOWN = 5


_ONE = (edits.flip, edits.cut, edits.drop_line, edits.swap_lines, edits.change_event, edits.swap_segments)
_TWO = (edits.flip, edits.append, edits.remove, edits.replace_segment, forgeries.change_keys)


def twice(evidence: Evidence, chance: random.Random) -> Edited:
    """Two edits, of different files: what is told first must be one of them."""
    one, two = chance.choice(_ONE)(evidence, chance), chance.choice(_TWO)(evidence, chance)
    names = evidence.files.keys() | one.files.keys() | two.files.keys()
    by_one = {name for name in names if one.files.get(name) != evidence.files.get(name)}
    by_two = {name for name in names if two.files.get(name) != evidence.files.get(name)}
    if by_one & by_two:
        return one
    files = {name: content for name, content in one.files.items() if name not in by_two}
    return Edited(files | {name: two.files[name] for name in by_two if name in two.files}, one.where | two.where)


FOLDER_EDITS: tuple[Callable[[Evidence, random.Random], Edited], ...] = (
    edits.flip, edits.flip, edits.flip, edits.overwrite, edits.cut, edits.cut, edits.append, edits.remove,
    edits.smuggle, edits.drop_line, edits.repeat_line, edits.swap_lines, edits.foreign_line, edits.change_event,
    edits.change_event, edits.erase, edits.roll_back_timeline, edits.roll_back_everything, edits.old_manifest,
    edits.roll_back_segment, edits.swap_segments, edits.swap_chunks, edits.replace_segment, edits.swap_pictures,
    forgeries.rewrite, forgeries.change_statement, forgeries.change_keys, forgeries.sign_anew,
    forgeries.sign_one_checkpoint, twice,
)  # fmt: skip
CLOSED_TIMELINES = 5
"""Every so many edits, one is made to a timeline as the database holds it, with the checkpoints that were kept."""


class Result(NamedTuple):
    """What became of one edit; `text` says more when it was not found, or found elsewhere."""

    kind: str
    missed: bool
    wrongly_named: bool
    text: str


def edit_folder(evidence: Evidence, chance: random.Random) -> Result:
    """One edit to an exported folder, and what its verification says."""
    edit = chance.choice(FOLDER_EDITS)
    edited = edit(evidence, chance)
    report = verification.verify(MemoryFolder(edited.files), [evidence.signer.key_id], edited.kept)
    if not report.findings:
        return Result(edit.__name__, True, False, f"expected {edited.where}")
    first = report.findings[0]
    right = first.where in edited.where and (edited.kinds is None or first.kind in edited.kinds)
    return Result(
        edit.__name__, False, not right, f"expected {edited.where} {edited.kinds}, found {report.findings[:3]}"
    )


def edit_timeline(evidence: Evidence, chance: random.Random) -> Result:
    """One edit to a closed timeline, with its chain made anew or not, and what its verification says."""
    links, number = list(evidence.links), chance.randrange(len(evidence.links))
    states = [checkpoints.read(held).seq for held in evidence.checkpoints]
    kind, allowed = chance.choice(["drop", "swap", "change", "cut", "rewrite"]), {number + 1}
    match kind:
        case "drop":
            del links[number]
        case "swap":
            other = (number + chance.randrange(1, len(links))) % len(links)
            links[number], links[other] = links[other], links[number]
            allowed = {min(number, other) + 1}
        case "change":
            links[number] = _changed(links[number], chance)
        case "cut":
            links = links[:number]
        case _:
            links, seq = forgeries.forged(evidence, chance)
            before = max((state for state in states if state < seq), default=0)
            allowed = {before + 1}
    fault = checkpoints.verify(evidence.session, links, evidence.checkpoints, evidence.signer.public_keys)
    if fault is None:
        return Result(f"timeline: {kind}", True, False, f"expected {allowed}")
    return Result(f"timeline: {kind}", False, fault.seq not in allowed, f"expected {allowed}, found {fault}")


def _changed(link: Sealed, chance: random.Random) -> Sealed:
    name = chance.choice(["at", "actor", "type", "commitment", "previous_hash", "hash"])
    value = {"at": link.at + 1, "actor": "mallory", "type": "other"}.get(name, chance.randbytes(32))
    return msgspec.structs.replace(link, **{name: value})


def batch(seed: int, count: int) -> list[Result]:
    """So many edits by one process."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        evidence = prepare(Path(folder))
        untouched = verification.verify(MemoryFolder(evidence.files), [evidence.signer.key_id])
        if untouched.findings or untouched.interrupted != ["third"]:
            raise AssertionError(f"the untouched export is not good: {untouched}")
        makers = [edit_timeline if number % CLOSED_TIMELINES == 0 else edit_folder for number in range(count)]
        return [make(evidence, chance) for make in makers]


def run(count: int, seed: int, processes: int) -> list[Result]:
    """All edits, spread over processes."""
    sizes = [count // processes + (number < count % processes) for number in range(processes)]
    seeds = [seed + number for number in range(processes)]
    if processes == 1:
        return batch(seed, count)
    with concurrent.futures.ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        return [result for results in pool.map(batch, seeds, sizes) for result in results]


def main() -> int:
    """`python -m tests.chaos.tamper [--edits N] [--seed N] [--processes N]`."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.tamper", description="Tamper with evidence.")
    parser.add_argument("--edits", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count())
    given = parser.parse_args()
    results = run(given.edits, given.seed, given.processes)
    for kind, number in sorted(Counter(result.kind for result in results).items()):
        print(f"{number:7} {kind}")
    bad = [result for result in results if result.missed or result.wrongly_named]
    for result in bad[:SHOWN]:
        print(f"{'MISSED' if result.missed else 'WRONGLY NAMED'} {result.kind}: {result.text}")
    missed, wrong = sum(result.missed for result in bad), sum(result.wrongly_named for result in bad)
    print(json.dumps({"edits": len(results), "missed": missed, "wrongly_named": wrong}))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
