"""Language models of transformers with adapters, on a tiny LLaMA: what is saved, shared, packed and remembered."""

from __future__ import annotations

import builtins
import copy
import json
from dataclasses import asdict, replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from peft import PeftModel
from torch import distributed, nn
from torch.distributed.tensor import DTensor
from transformers import AutoModelForCausalLM

from nucleate.configuration import from_dict
from nucleate.errors import UserError
from nucleate.models.networks import pretrained
from nucleate.models.networks.pretrained import PretrainedConfig, PretrainedNetwork, pack
from tests.models.crystal_llm.tiny import byte_tokenizer, save_tiny_llama

PLAIN = PretrainedConfig(bits=32, dropout=0.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_tiny_llama(tmp_path_factory.mktemp("llama"), byte_tokenizer())


@pytest.fixture(scope="module")
def vocabulary():
    return len(byte_tokenizer())


@pytest.fixture
def build(folder, vocabulary):
    def network(more_tokens: int = 0, **changes) -> PretrainedNetwork:
        torch.manual_seed(0)
        config = replace(PLAIN, model=str(folder), **changes)
        built = PretrainedNetwork(config, vocabulary + more_tokens)
        with torch.no_grad():  # adapters start at zero, where much goes unseen
            for weight in built.parameters():
                if weight.requires_grad:
                    weight.add_(0.1 * torch.randn_like(weight))
        return built

    return network


def documents(vocabulary: int, lengths=(9, 4, 6, 1, 7), seed: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    """Random tokens, padded on the right."""
    rng = torch.Generator().manual_seed(seed)
    tokens = torch.randint(3, vocabulary, (len(lengths), max(lengths)), generator=rng)
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    return tokens.masked_fill(~mask, 0), mask


def test_logits_are_those_of_transformers(build, folder, vocabulary):
    network = build(rank=0)
    with torch.no_grad():
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        for theirs, ours in zip(model.parameters(), network.parameters(), strict=True):
            theirs.copy_(ours)
        tokens, mask = documents(vocabulary)
        ours = network(tokens, mask)
        for row, length in enumerate(mask.sum(1).tolist()):
            expected = model(input_ids=tokens[row : row + 1, :length]).logits[0]
            torch.testing.assert_close(ours[row, :length], expected, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_padding_on_the_left_and_the_cache_change_nothing(build, vocabulary):
    network = build().eval()
    tokens, mask = documents(vocabulary)
    whole = network(tokens, mask)
    lengths = mask.sum(1).tolist()
    given = [max(1, length - 3) for length in lengths]
    width = max(given)
    prompts = torch.stack(
        [torch.cat([tokens.new_zeros(width - n), row[:n]]) for row, n in zip(tokens, given, strict=True)]
    )
    there = torch.arange(width) >= torch.tensor([width - n for n in given])[:, None]
    logits, memory = network.start(prompts, there)
    for more in range(4):
        for row, (length, known) in enumerate(zip(lengths, given, strict=True)):
            if known + more <= length:
                torch.testing.assert_close(logits[row], whole[row, known + more - 1], rtol=1e-4, atol=1e-5)
        following = torch.stack([row[min(n + more, len(row) - 1)] for row, n in zip(tokens, given, strict=True)])
        logits, memory = network.step(following, memory)


# --- packing ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [1, 9, 10, 16, 100])
def test_packed_documents_have_the_logits_and_gradients_that_they_have_alone(build, vocabulary, width):
    alone, together = build(), build(packed=width)
    tokens, mask = documents(vocabulary)
    for network in (alone, together):
        network(tokens, mask)[mask].square().mean().backward()
    torch.testing.assert_close(together(tokens, mask)[mask], alone(tokens, mask)[mask], rtol=1e-4, atol=1e-5)
    gradients = [[w.grad for w in network.parameters() if w.requires_grad] for network in (alone, together)]
    for one, two in zip(*gradients, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-3, atol=1e-6)


def test_packing_takes_fewer_rows(build, vocabulary):
    network = build(packed=16)
    seen = []
    network.model.register_forward_pre_hook(
        lambda _, __, named: seen.append(named["input_ids"].shape), with_kwargs=True
    )
    network(*documents(vocabulary))
    assert seen == [(2, 16)]


@given(st.lists(st.integers(1, 30), min_size=1, max_size=40), st.integers(1, 60))
def test_rows_hold_whole_documents_that_do_not_overlap(lengths, width):
    row, start, wide = pack(lengths, width)
    assert wide <= max(width, *lengths)
    taken = [(r, s + k) for r, s, n in zip(row, start, lengths, strict=True) for k in range(n)]
    assert len(set(taken)) == sum(lengths)
    assert all(place < wide for _, place in taken)
    assert set(row) == set(range(max(row) + 1))
    assert len(set(row)) <= 2 * -(-sum(lengths) // width) + sum(n > width for n in lengths)


# --- what is trained, saved and shared ----------------------------------------------------------------------------


def test_only_adapters_are_trained_and_saved(build):
    network = build()
    names = set(network.state_dict())
    assert names == {name for name, weight in network.named_parameters() if weight.requires_grad}
    assert all("lora_" in name and ("q_proj" in name or "v_proj" in name) for name in names)
    assert len(names) == 2 * 2 * 2
    assert {w.shape[0] for name, w in network.state_dict().items() if "lora_A" in name} == {8}


def test_other_layers_can_have_adapters(build):
    names = set(build(targets=["o_proj", "up_proj"], rank=4).state_dict())
    assert {part for name in names for part in name.split(".") if part.endswith("_proj")} == {"o_proj", "up_proj"}


def test_the_state_goes_into_another_network_inside_any_module(build, vocabulary):
    one, two = (nn.ModuleDict({"network": build(), "beside": nn.Linear(1, 1)}) for _ in range(2))
    with torch.no_grad():
        for weight in one.parameters():
            if weight.requires_grad:
                weight.add_(0.1)
    tokens, mask = documents(vocabulary)
    assert not torch.allclose(one["network"](tokens, mask), two["network"](tokens, mask))
    two.load_state_dict(one.state_dict())
    assert torch.equal(one["network"](tokens, mask), two["network"](tokens, mask))


def test_a_state_that_lacks_an_adapter_is_refused(build):
    network = build()
    state = network.state_dict()
    state.popitem()
    with pytest.raises(RuntimeError, match="lora_"):
        network.load_state_dict(state)
    outside = nn.ModuleDict({"network": network, "beside": nn.Linear(1, 1)})
    with pytest.raises(RuntimeError, match="beside"):
        outside.load_state_dict({name: value for name, value in outside.state_dict().items() if "beside" not in name})


def test_copies_share_what_is_frozen_and_nothing_else(build, vocabulary):
    network = build()
    copied = copy.deepcopy(network)
    for (name, one), (_, two) in zip(network.named_parameters(), copied.named_parameters(), strict=True):
        assert (one is two) == (name not in network.trained)
    tokens, mask = documents(vocabulary)
    before = network(tokens, mask)
    assert torch.equal(copied(tokens, mask), before)
    with torch.no_grad():
        for weight in copied.requires_grad_(requires_grad=True).parameters():
            if weight.requires_grad and all(weight is not other for other in network.parameters()):
                weight.add_(1.0)
    assert torch.equal(network(tokens, mask), before)
    assert not torch.equal(copied(tokens, mask), before)
    assert set(copied.state_dict()) == set(network.state_dict())


def test_all_weights_are_trained_and_saved_without_adapters(build):
    network = build(rank=0)
    assert all(weight.requires_grad for weight in network.parameters())
    assert set(network.state_dict()) == {name for name, _ in network.named_parameters()}
    before = build(rank=0)
    before.load_state_dict(network.state_dict())


def test_frozen_weights_are_bfloat16_and_adapters_are_not(build):
    network = build(bits=16)
    assert {w.dtype for w in network.parameters() if not w.requires_grad} == {torch.bfloat16}
    assert {w.dtype for w in network.parameters() if w.requires_grad} == {torch.float32}


def test_rows_are_added_for_tokens_that_the_model_does_not_know(build, vocabulary):
    network = build(more_tokens=2)
    tokens = torch.tensor([[5, vocabulary, vocabulary + 1]])
    logits = network(tokens, torch.ones_like(tokens, dtype=torch.bool))
    assert logits.shape[-1] == vocabulary + 2
    logits.square().mean().backward()
    new = {name: w for name, w in network.state_dict().items() if "lora_" not in name}
    assert {tuple(w.shape) for w in new.values()} == {(2, 32)}
    assert len(new) == 2
    assert all(w.grad is not None and bool(w.grad.any()) for n, w in network.named_parameters() if n in new)
    twin = build(more_tokens=2)
    twin.load_state_dict(network.state_dict())
    assert torch.equal(twin(tokens, tokens > 0), network(tokens, tokens > 0))


def test_logits_of_tokens_that_the_tokenizer_lacks_are_cut_off(build, vocabulary):
    tokens, mask = documents(vocabulary - 7)
    fewer = build(more_tokens=-7)
    assert fewer(tokens, mask).shape[-1] == vocabulary - 7
    assert fewer.start(tokens[:1], mask[:1])[0].shape[-1] == vocabulary - 7
    assert build(more_tokens=-7, packed=20)(tokens, mask).shape[-1] == vocabulary - 7


# --- training -----------------------------------------------------------------------------------------------------


def test_dropout_follows_from_the_tokens_and_leaves_the_random_state_alone(build, vocabulary):
    network = build(dropout=0.5).train()
    tokens, mask = documents(vocabulary)
    state = torch.get_rng_state()
    first = network(tokens, mask)
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(3)
    assert torch.equal(network(tokens, mask), first)
    others, _ = documents(vocabulary, seed=2)
    shuffled = torch.where(mask, others, tokens)
    assert not torch.equal(network(shuffled, mask), network.eval()(shuffled, mask))
    assert not torch.equal(first, network(tokens, mask))


def test_computing_again_gives_the_same_gradients(build, vocabulary):
    tokens, mask = documents(vocabulary)
    gradients = []
    for again in (False, True):
        network = build(checkpointing=again, dropout=0.3).train()
        network(tokens, mask)[mask].square().mean().backward()
        gradients.append([w.grad for w in network.parameters() if w.requires_grad])
    for one, two in zip(*gradients, strict=True):
        assert bool(one.any())
        torch.testing.assert_close(one, two)


def test_sharing_frozen_weights_out_changes_neither_logits_nor_gradients_nor_state(build, vocabulary, tmp_path):
    tokens, mask = documents(vocabulary)
    distributed.init_process_group(
        "gloo", store=distributed.FileStore(str(tmp_path / "store"), 1), rank=0, world_size=1
    )
    try:
        networks = build(), build(sharded=True)
        for network in networks:
            network(tokens, mask)[mask].square().mean().backward()
        alone, shared = networks
        assert shared.sharded
        assert all(isinstance(w, DTensor) != w.requires_grad for w in shared.parameters())
        torch.testing.assert_close(shared(tokens, mask), alone(tokens, mask))
        for (name, one), (_, two) in zip(alone.named_parameters(), shared.named_parameters(), strict=True):
            assert name not in alone.trained or torch.allclose(one.grad, two.grad), name
        assert set(shared.state_dict()) == alone.trained
        alone.load_state_dict(shared.state_dict())
    finally:
        distributed.destroy_process_group()


@pytest.mark.parametrize("changes", [{"bits": 4}, {"rank": 0}])
def test_what_cannot_be_shared_out(build, changes):
    with pytest.raises(UserError, match="only frozen weights"):
        build(sharded=True, **changes)


def test_adapters_are_exported_as_peft_reads_them(build, folder, vocabulary, tmp_path):
    network = build().eval()
    network.export(tmp_path)
    theirs = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32), tmp_path)
    tokens, mask = documents(vocabulary, lengths=(6, 6))
    torch.testing.assert_close(theirs(input_ids=tokens).logits, network(tokens, mask), rtol=1e-4, atol=1e-5)


# --- what is missing ----------------------------------------------------------------------------------------------


def test_a_model_that_is_not_there_is_answered_in_one_line(tmp_path):
    with pytest.raises(UserError, match="no language model could be loaded") as caught:
        PretrainedNetwork(replace(PLAIN, model=str(tmp_path / "nothing")), 10)
    assert "\n" not in str(caught.value)


def test_layers_that_are_not_there_are_answered_in_one_line(build):
    with pytest.raises(UserError, match="cannot have adapters") as caught:
        build(targets=["c_attn"])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("bits", [4, 8])
def test_without_bitsandbytes_one_line_says_what_to_install(build, monkeypatch, bits):
    monkeypatch.setattr(pretrained, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="pip install bitsandbytes"):
        build(bits=bits)


@pytest.mark.parametrize("library", ["transformers", "peft"])
def test_without_a_library_one_line_says_what_to_install(build, monkeypatch, library):
    real = builtins.__import__

    def lacking(name: str, *rest, **more):
        if name.split(".")[0] == library:
            raise ModuleNotFoundError(f"No module named {library!r}", name=library)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", lacking)
    with pytest.raises(UserError, match=rf"{library} is not installed.*nucleate\[llm\]"):
        build()


def test_the_configuration_is_plain_json():
    back = from_dict(PretrainedConfig, json.loads(json.dumps(asdict(PLAIN))))
    assert back == replace(PLAIN, targets=["q_proj", "v_proj"])
