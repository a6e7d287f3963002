from __future__ import annotations

import signal

import pytest

from nucleate.training.interruption import Interruption


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_is_remembered_where_it_is_asked_for_and_the_second_interrupts(number):
    before = signal.getsignal(number)
    with Interruption() as interruption:
        with interruption.awaited():
            signal.raise_signal(number)
            assert interruption.asked
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(number)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_interrupts_at_once_where_nobody_asks(number):
    with Interruption() as interruption:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
        assert not interruption.asked
