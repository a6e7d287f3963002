"""vLLM through a module that stands in for it; the real one is tried where it is installed and there is a GPU."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import torch

from nucleate.errors import UserError
from nucleate.models.crystal_llm.config import SamplingConfig
from nucleate.models.crystal_llm.language import Wish
from nucleate.models.crystal_llm.text import write
from nucleate.models.crystal_llm.text_language import TextLanguage
from nucleate.models.crystal_llm.vllm_backend import VllmConfig, VllmWriter
from tests.models.crystal_llm.tiny import byte_tokenizer, save_tiny_llama, two_crystals

PLAIN = SamplingConfig(temperature=0.7, top_p=0.9, constrained=False)


@pytest.fixture
def language() -> TextLanguage:
    return TextLanguage(byte_tokenizer())


class FakeEngine:
    """Answers with what it was given, and keeps what it was asked."""

    answers: list[SimpleNamespace] = []  # noqa: RUF012 - set by each test
    last: FakeEngine

    def __init__(self, **options) -> None:
        self.options = options
        FakeEngine.last = self

    def generate(self, prompts, sampling_params, lora_request, use_tqdm):
        self.asked = prompts, sampling_params, lora_request
        return [SimpleNamespace(outputs=[answer]) for answer in self.answers]


@pytest.fixture
def vllm(monkeypatch, language):
    module, lora, request = (ModuleType(name) for name in ("vllm", "vllm.lora", "vllm.lora.request"))
    module.LLM = FakeEngine
    module.SamplingParams = SimpleNamespace
    request.LoRARequest = lambda *parts: parts
    for part in (module, lora, request):
        monkeypatch.setitem(sys.modules, part.__name__, part)
    salt, rutile = language.answers(write(two_crystals()))
    FakeEngine.answers = [
        SimpleNamespace(token_ids=salt, finish_reason="stop"),
        SimpleNamespace(token_ids=rutile[:-1], finish_reason="stop"),
        SimpleNamespace(token_ids=rutile[:-1], finish_reason="length"),
    ]


WISHES = [Wish(), Wish(num_atoms=6), Wish(numbers=(22, 22, 8, 8, 8, 8))]


def test_answers_are_read_and_one_that_was_cut_is_told_apart(vllm, language):
    answers = VllmWriter(VllmConfig()).write_answers(language, WISHES, PLAIN, torch.Generator().manual_seed(0))
    crystals = language.read(answers, WISHES)
    assert crystals.failures.tolist() == ["", "", "no_end"]
    assert crystals.formulas[:2] == ["NaCl", "Ti2O4"]


def test_prompts_go_in_without_padding_and_each_has_a_seed(vllm, language):
    writer = VllmWriter(VllmConfig())
    for _ in range(2):
        writer.write_answers(language, WISHES, PLAIN, torch.Generator().manual_seed(0))
        prompts, params, adapters = FakeEngine.last.asked
        documents = language.prompts(WISHES)
        expected = [row[there].tolist() for row, there in zip(documents.tokens, documents.mask, strict=True)]
        assert [prompt["prompt_token_ids"] for prompt in prompts] == expected
        assert len({one.seed for one in params}) == 3
        assert {(one.temperature, one.top_p, one.max_tokens) for one in params} == {
            (0.7, 0.9, language.longest(WISHES))
        }
        assert all(one.stop_token_ids == [language.end] for one in params)
        assert adapters is None
    again = writer.write_answers(language, WISHES, PLAIN, torch.Generator().manual_seed(0))
    assert [one.seed for one in FakeEngine.last.asked[1]] == [one.seed for one in params]
    assert len(again) == 3


def test_adapters_are_asked_for(vllm, language):
    writer = VllmWriter(VllmConfig(adapters=Path("there"), rank=12))
    assert (FakeEngine.last.options["enable_lora"], FakeEngine.last.options["max_lora_rank"]) == (True, 16)
    writer.write_answers(language, WISHES, PLAIN, torch.Generator())
    assert FakeEngine.last.asked[2] == ("crystals", 1, "there")
    with pytest.raises(UserError, match="rank 256 at most"):
        VllmWriter(VllmConfig(adapters=Path("there"), rank=257))


def test_a_second_temperature_is_refused(vllm, language):
    with pytest.raises(UserError, match="one temperature"):
        VllmWriter(VllmConfig()).write_answers(
            language, WISHES, replace(PLAIN, structure_temperature=0.5), torch.Generator()
        )


def test_without_vllm_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(UserError, match=r"pip install 'nucleate\[vllm\]'"):
        VllmWriter(VllmConfig())


@pytest.mark.skipif(find_spec("vllm") is None or not torch.cuda.is_available(), reason="vLLM and a GPU are needed")
def test_the_real_one_answers_every_request(tmp_path, language):
    folder = save_tiny_llama(tmp_path, language.tokenizer)
    writer = VllmWriter(VllmConfig(model=str(folder), length=1024, memory=0.3))
    answers = writer.write_answers(language, WISHES, PLAIN, torch.Generator().manual_seed(0))
    assert len(language.read(answers, WISHES)) == len(WISHES)
