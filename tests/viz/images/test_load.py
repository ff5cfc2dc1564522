import numpy as np
import pytest

from mfa.cli import run
from viz.cli import COMMANDS
from viz.images.load import blurred


@pytest.mark.parametrize(
    ("height", "width", "head"), [(100, 20, 20), (100, 50, 30), (60, 60, 36), (20, 60, 20)]
)
def test_the_top_of_each_picture_becomes_blocks(height, width, head):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (3, 3, height, width), dtype=np.uint8)
    drawn = blurred(images)
    assert drawn.shape == images.shape
    np.testing.assert_array_equal(drawn[:, :, head:], images[:, :, head:])
    for image in drawn:
        colours = {tuple(pixel) for pixel in image[:, :head].reshape(3, -1).T}
        assert len(colours) <= 6 * 6  # six blocks beside each other, about square
    assert drawn[0, :, :head].std() < images[0, :, :head].std() / 2


@pytest.mark.parametrize("command", ["grid", "data", "maps", "figures"])
def test_every_command_with_pictures_of_people_can_blur_and_says_how(command, capsys):
    with pytest.raises(SystemExit):
        run("mfa-viz", COMMANDS, [command, "--help"])
    said = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "--blur-faces" in said
    assert "No face is looked for" in said
