from __future__ import annotations

import pytest

from nucleate.evaluation.progress import Steps


def test_shares_of_steps_add_up():
    told = []
    steps = Steps({"first": 1, "second": 2, "third": 1}, lambda share, line: told.append((share, line)))
    steps.start("first")(0.5)
    show = steps.start("third")  # the second is left out
    show(1.0)
    assert told == [(0, "first"), (0.125, "first"), (0.75, "third"), (1, "third")]


def test_nobody_has_to_listen():
    Steps({"only": 3.0}).start("only")(1.0)


def test_an_unknown_step():
    with pytest.raises(ValueError, match="other"):
        Steps({"only": 3.0}).start("other")
