"""A sentence stays one line, whatever it quotes."""

from __future__ import annotations

import os
import pickle

from mfa.errors import InputError, printable


def test_names_have_no_power_over_the_terminal() -> None:
    assert printable("ä b\\n 人") == "ä b\\n 人"
    assert printable("a\nb\r\x1b[2J\x9b\u2028\u202e") == r"a\nb\r\x1b[2J\x9b\u2028\u202e"
    assert printable(os.fsdecode(b"a\xff.jpg")) == r"a\udcff.jpg"


def test_an_error_is_one_line_and_survives_pickling() -> None:
    error = InputError("no run a\nerror: b", "write \x1b]0;c")
    assert str(error) == r"no run a\nerror: b; write \x1b]0;c"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
