"""No network is needed: the Hub is at an address where nobody answers."""

from __future__ import annotations

import pytest

pytest.importorskip("huggingface_hub")

import huggingface_hub
from huggingface_hub.errors import RepositoryNotFoundError

from nucleate.models.networks.hub import only_local


@pytest.fixture
def asked(monkeypatch):
    """Names that the Hub was asked for; what it answers is put into `answer`."""

    class Asked(list):
        answer: Exception | None = None

    asked = Asked()

    def model_info(_, name, **settings):
        assert settings["timeout"] < 10
        asked.append(name)
        if asked.answer is not None:
            raise asked.answer

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", model_info)
    return asked


def cached(monkeypatch, where: str | None):
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_, **__: where)


def test_nobody_is_asked_for_a_folder(tmp_path, asked):
    assert only_local(str(tmp_path))
    assert asked == []


def test_a_model_on_the_hub_is_not_only_local(asked):
    assert not only_local("some/model")
    assert asked == ["some/model"]


def test_without_a_network_the_cache_will_do(asked, monkeypatch):
    asked.answer = ConnectionError("Name or service not known\nand more")
    cached(monkeypatch, "/cache/config.json")
    assert only_local("some/model")
    cached(monkeypatch, None)
    with pytest.raises(FileNotFoundError, match=r"cannot be reached \(Name or service not known\)$") as caught:
        only_local("some/model")
    assert "\n" not in str(caught.value)


def test_what_the_hub_refuses_the_library_explains(asked):
    asked.answer = RepositoryNotFoundError.__new__(RepositoryNotFoundError)
    assert not only_local("some/model")


def test_a_path_that_is_not_there_is_no_name_on_the_hub():
    with pytest.raises(FileNotFoundError, match="no such folder"):
        only_local("/nowhere/at/all")
