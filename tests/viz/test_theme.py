"""What every picture shares: settings that stay the user's, names as they are, fonts inside."""

import threading

import matplotlib as mpl
import pytest

import viz
from mfa.errors import InputError
from viz import theme


def test_a_second_thread_waits_and_the_users_settings_come_back():
    before = dict(mpl.rcParams)
    inside, entered = threading.Event(), threading.Event()

    def draw():
        inside.wait(5)
        with theme.theme():
            entered.set()

    other = threading.Thread(target=draw)
    other.start()
    with theme.theme():
        inside.set()
        assert not entered.wait(0.3)
    other.join(5)
    assert entered.is_set()
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("name", ["$x", r"a$_$b$", "50 % _ # {$}$"])
def test_dollars_in_names_are_drawn_as_they_are(scored, name, tmp_path):
    grid = viz.draw_rank_grid({name: scored.result, "b": scored.result}, scored.data, [0], k=3)
    chart = viz.plot_roc({name: viz_verify(scored)}).figure
    for figure in (grid, chart, viz.plot_cmc({name: scored.result}).figure):
        viz.save(figure, tmp_path / "drawn", formats=("pdf",))
        assert b"/Type3" not in (tmp_path / "drawn.pdf").read_bytes()


def viz_verify(scored):
    from mfa.comparison.verification import verify

    return verify(scored.result.features)


def test_a_style_of_ones_own_stands_above_the_projects_in_everything_drawn(tmp_path):
    (tmp_path / "mine.mplstyle").write_text("font.size: 11\n", encoding="utf-8")
    with theme.theme(theme.read_style(tmp_path / "mine.mplstyle")), theme.theme():
        assert mpl.rcParams["font.size"] == 11
        assert mpl.rcParams["pdf.fonttype"] == 42
    with theme.theme():
        assert mpl.rcParams["font.size"] == 8


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (None, "cannot read the style file"),
        ("font.size: wide\n", "cannot read the style file"),
        ("font.size: 9\naxes.linewdith: 2  # thick\n", "mine.*'axes.linewdith'.*axes.linewidth"),
        ("grid.color #777777\n", "mine.*'grid.color'.*grid.color: VALUE"),
    ],
)
def test_a_style_that_cannot_be_read_is_refused_in_words(tmp_path, words, sentence):
    if words:
        (tmp_path / "mine.mplstyle").write_text(words, encoding="utf-8")
    with pytest.raises(InputError, match=sentence):
        theme.read_style(tmp_path / "mine.mplstyle")


def test_the_style_file_is_one_of_matplotlibs():
    with mpl.style.context("viz.mfa"):
        assert mpl.rcParams["axes.prop_cycle"].by_key()["color"] == list(theme.PALETTE)


def test_a_chinese_font_stands_behind_the_usual_one_where_it_is_installed(monkeypatch):
    fonts = [type("Font", (), {"name": name}) for name in ("DejaVu Sans", "SimHei", "Noto Sans SC")]
    monkeypatch.setattr(theme.fontManager, "ttflist", fonts)
    assert theme._installed() == ["Noto Sans SC"]
