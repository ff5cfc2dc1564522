import re

import pytest
from matplotlib.figure import Figure
from PIL import Image

import viz
from mfa.errors import InputError
from viz import theme
from viz.export import save


@pytest.fixture
def chart(scored):
    return theme.figure_of(viz.plot_cmc(scored.result))


def test_three_files_of_one_size(chart, tmp_path):
    png, pdf, svg = save(chart, tmp_path / "deep" / "chart.v1")
    assert [path.name for path in (png, pdf, svg)] == [
        "chart.v1.png", "chart.v1.pdf", "chart.v1.svg",
    ]  # fmt: skip
    width = chart.get_size_inches()[0]
    assert Image.open(png).width == pytest.approx(300 * width, abs=1)
    box = re.search(rb"/MediaBox \[ 0 0 ([0-9.]+)", pdf.read_bytes())
    assert float(box[1]) == pytest.approx(72 * width, abs=0.01)
    assert f'width="{72 * width:g}pt"' in svg.read_text(encoding="utf-8")


def test_a_caption_lies_beside_the_figure(chart, tmp_path):
    *_, words = save(chart, tmp_path / "chart", ["png"], caption="What it is true of.")
    assert words == tmp_path / "chart.caption.md"
    assert words.read_text(encoding="utf-8") == "What it is true of.\n"


def test_same_input_same_bytes(scored, tmp_path):
    def once(name):
        figure = viz.draw_rank_grid(scored.result, scored.data, [0], k=3)
        chart = theme.figure_of(viz.plot_cmc(scored.result))
        paths = [*save(figure, tmp_path / name / "g"), *save(chart, tmp_path / name / "c")]
        return [path.read_bytes() for path in paths]

    assert once("first") == once("second")


def test_fonts_are_embedded_and_text_is_text(chart, tmp_path):
    (pdf,) = save(chart, tmp_path / "chart", ["pdf"])
    content = pdf.read_bytes()
    assert b"/FontFile2" in content  # the TrueType program itself
    assert b"/Type3" not in content
    (svg,) = save(chart, tmp_path / "chart", ["svg"])
    assert "<text" not in svg.read_text(encoding="utf-8")  # outlines: no font to be missing


def test_no_date_is_written(chart, tmp_path):
    for path in save(chart, tmp_path / "chart"):
        content = path.read_bytes()
        assert b"CreationDate" not in content
        assert b"dc:date" not in content


def test_bad_formats_and_places_are_sentences(tmp_path):
    with pytest.raises(InputError, match="no figure format 'gif'"):
        save(Figure(), tmp_path / "x", ["gif"])
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="cannot be written"):
        save(Figure(), tmp_path / "file" / "x")


def test_a_figure_shows_itself_in_a_notebook(chart):
    data, size = chart._repr_png_()
    assert data.startswith(b"\x89PNG")
    assert size["width"] == round(96 * chart.get_size_inches()[0])


def test_charts_leave_the_users_settings_alone(scored):
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    viz.plot_cmc(scored.result)
    assert dict(mpl.rcParams) == before
