import os
from collections.abc import Iterator

import pytest
from Xlib import Xatom

from customer_client.capture import surfaces
from customer_client.capture.screen_capture import Capture
from customer_client.capture.surfaces import Area, CaptureUnavailable
from tests.customer_client.x11_desktop import BLUE, GREEN, RED, Desktop, x11_desktop

NO_SCREEN = ":64999"


@pytest.fixture(scope="module")
def whole_desktop() -> Iterator[Desktop]:
    with x11_desktop() as desktop:
        yield desktop


@pytest.fixture
def desktop(whole_desktop: Desktop) -> Iterator[Desktop]:
    yield whole_desktop
    whole_desktop.clear()


def test_all_monitors_are_listed_the_primary_one_first(desktop: Desktop) -> None:
    desktop.plug("LEFT-1", Area(0, 0, 500, 600))
    desktop.plug("RIGHT-1", Area(500, 100, 300, 400), primary=True)
    first, second = surfaces.sources()[:2]
    assert (first.key, first.kind, first.area) == ("monitor:RIGHT-1", "monitor", Area(500, 100, 300, 400))
    assert (second.title, second.area) == ("LEFT-1", Area(0, 0, 500, 600))


def test_windows_are_listed_from_the_topmost_down_without_the_desktops_own_and_ours(desktop: Desktop) -> None:
    letter = desktop.window(Area(10, 20, 200, 100), RED, "Letter", border=4)
    panel = desktop.window(Area(0, 580, 800, 20), GREEN, "Panel")
    bar = desktop.window(Area(600, 0, 200, 40), GREEN, "Sightline")
    printers = desktop.window(Area(100, 60, 300, 200), BLUE)
    printers.change_property(desktop.server.get_atom("_NET_WM_NAME"), Xatom.STRING, 8, "Imprimantes à côté".encode())
    desktop.say(panel, "_NET_WM_WINDOW_TYPE", [desktop.server.get_atom("_NET_WM_WINDOW_TYPE_DOCK")], Xatom.ATOM)
    desktop.say(bar, "_NET_WM_PID", [os.getpid()])
    hidden = desktop.window(Area(0, 0, 10, 10), RED, "Hidden")
    hidden.unmap()
    desktop.server.sync()
    listed = [each for each in surfaces.sources() if each.kind == "window"]
    assert [(each.title, each.area) for each in listed] == [
        ("Imprimantes à côté", Area(100, 60, 300, 200)),
        ("Letter", Area(14, 24, 200, 100)),
    ]
    assert listed[1].window == letter.id
    desktop.say(desktop.root, "_NET_CLIENT_LIST_STACKING", [printers.id, letter.id], Xatom.WINDOW)
    assert [each.title for each in surfaces.sources() if each.kind == "window"] == ["Letter", "Imprimantes à côté"]


def test_a_window_that_draws_its_own_shadow_is_listed_without_it(desktop: Desktop) -> None:
    window = desktop.window(Area(100, 100, 200, 100), RED, "Shadowed")
    desktop.say(window, "_GTK_FRAME_EXTENTS", [10, 20, 5, 15])
    desktop.paint(window, Area(10, 5, 170, 80), GREEN)
    [_, listed] = surfaces.sources()
    assert listed.area == Area(110, 105, 170, 80)
    still = Capture(listed).still().picture
    assert still.shape == (80, 170, 4)
    assert (still[:, :, :3] == (0, 255, 0)).all()
    assert surfaces.thumbnail(listed, 170).getcolors() == [(80 * 170, (0, 255, 0))]


def test_the_scale_is_the_one_that_the_desktop_sets(desktop: Desktop) -> None:
    desktop.root.change_property(Xatom.RESOURCE_MANAGER, Xatom.STRING, 8, b"Xft.antialias:\t1\nXft.dpi:\t192\n")
    desktop.server.sync()
    assert surfaces.sources()[0].scale == 2.0


def test_a_thumbnail_is_small_and_in_true_colors(desktop: Desktop) -> None:
    desktop.window(Area(0, 0, 400, 600), RED, "Half")
    monitor, window = surfaces.sources()
    small = surfaces.thumbnail(monitor, 80)
    assert small.size == (80, 60)
    assert [small.getpixel(place) for place in ((10, 30), (70, 30))] == [(255, 0, 0), (0, 0, 0)]
    assert surfaces.thumbnail(window, 80).getpixel((10, 10)) == (255, 0, 0)


def test_a_source_that_is_gone_has_no_thumbnail(desktop: Desktop) -> None:
    window = desktop.window(Area(0, 0, 400, 600), RED, "Half")
    source = surfaces.sources()[-1]
    window.destroy()
    desktop.server.sync()
    with pytest.raises(CaptureUnavailable) as refused:
        surfaces.thumbnail(source, 80)
    assert refused.value.code == "gone"


def test_x11_within_wayland_shows_only_a_part_and_is_refused(desktop: Desktop) -> None:
    desktop.plug("XWAYLAND0", Area(0, 0, 800, 600))
    with pytest.raises(CaptureUnavailable) as refused:
        surfaces.sources()
    assert refused.value.code == "wayland"


@pytest.mark.parametrize(("wayland", "code"), [("wayland-0", "wayland"), (None, "no_display")])
def test_without_x11_it_says_why(monkeypatch: pytest.MonkeyPatch, wayland: str | None, code: str) -> None:
    monkeypatch.setenv("DISPLAY", NO_SCREEN)
    monkeypatch.delenv("XDG_SESSION_TYPE", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    if wayland:
        monkeypatch.setenv("WAYLAND_DISPLAY", wayland)
    with pytest.raises(CaptureUnavailable) as refused:
        surfaces.sources()
    assert refused.value.code == code
