"""Live snapshots, as stories: asked for by who sees, given by the customer, and only while the customer is seen."""

from signaling import messages as m
from signaling.session import Join, Refusal
from tests.signaling.story import ALICE, BOB, DANA, PICTURE, RECORDER, Story, code

ASKED = m.AskTiles(None)


def tiles(to: str = "alice", surface: str = "screen") -> m.Tiles:
    return m.Tiles(to, surface, 1, None, 0, True, 100, 100, [m.Tile(0, 0, 100, 100, b"jpeg")])


def test_they_go_from_the_customer_to_the_one_agent_whom_they_name() -> None:
    story = Story().share()
    story.system(Join(BOB))
    assert story.relays(BOB, ASKED) == ("dana",)
    assert story.relays(DANA, tiles(to="bob")) == ("bob",)
    assert code(story.relays(DANA, tiles(to="charlie"))) == "gone"
    assert code(story.relays(DANA, tiles(to="dana"))) == "gone"


def test_nobody_but_an_agent_asks_and_nobody_but_the_customer_gives() -> None:
    story = Story().share(record=True)
    story.system(Join(RECORDER))
    assert [code(story.relays(each, ASKED)) for each in (DANA, RECORDER)] == ["forbidden"] * 2
    assert [code(story.relays(each, tiles())) for each in (ALICE, RECORDER)] == ["forbidden"] * 2
    assert code(story.relays(DANA, tiles(to="recorder"))) == "gone"


def test_none_come_before_consent_in_a_pause_or_after_a_stop() -> None:
    story = Story().begin()
    assert [code(story.relays(DANA, tiles())), code(story.relays(ALICE, ASKED))] == ["wrong_phase"] * 2
    story.says(DANA, m.GiveConsent, scope="view", granted=True)
    assert code(story.relays(DANA, tiles())) == "wrong_phase"
    story = Story().share()
    story.says(DANA, m.PauseSharing)
    assert code(story.relays(DANA, tiles())) == "wrong_phase"
    assert story.relays(ALICE, ASKED) == ("dana",)
    story.says(DANA, m.ResumeSharing)
    assert story.relays(DANA, tiles()) == ("alice",)
    story.says(DANA, m.StopSharing)
    assert code(story.relays(DANA, tiles())) == "wrong_phase"


def test_they_show_what_is_shared_live_and_nothing_else() -> None:
    story = Story().share()
    assert code(story.relays(DANA, tiles(surface="another"))) == "unknown_surface"
    pictures = Story().begin()
    pictures.says(DANA, m.GiveConsent, scope="view", granted=True)
    pictures.says(DANA, m.StartSharing, surface=PICTURE)
    assert code(pictures.relays(DANA, tiles(surface=PICTURE.id))) == "no_media"
    assert code(pictures.relays(ALICE, ASKED)) == "no_media"


def test_where_nothing_may_be_shared_unrecorded_there_are_none_during_a_recording() -> None:
    for strict in (False, True):
        story = Story(strict_recording=strict).share(record=True)
        answers = [story.relays(ALICE, ASKED), story.relays(DANA, tiles())]
        assert [isinstance(each, Refusal) and each.code == "unrecorded" for each in answers] == [strict, strict]
    story.says(ALICE, m.StopRecording)
    assert story.relays(DANA, tiles()) == ("alice",)


def test_the_way_is_reported_like_any_other() -> None:
    story = Story().share()
    assert story.says(ALICE, m.ReportPath, path="snapshots") == [m.PathChanged("alice", "snapshots")]
    assert story.says(ALICE, m.ReportPath, path="snapshots") == []
