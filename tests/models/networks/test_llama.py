"""The LLaMA, compared with the one of transformers, and its memory with reading everything again."""

from __future__ import annotations

import pytest
import torch

from nucleate.models.networks.llama import Beside, Llama, LlamaConfig, _attention

CONFIG = LlamaConfig(width=32, layers=2, heads=4, inner=48)
VOCABULARY = 50


@pytest.fixture
def network() -> Llama:
    torch.manual_seed(0)
    network = Llama(CONFIG, VOCABULARY)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return network.eval()


def _whole(count: int, length: int) -> tuple[torch.Tensor, torch.Tensor]:
    tokens = torch.randint(VOCABULARY, (count, length), generator=torch.Generator().manual_seed(1))
    return tokens, torch.ones_like(tokens, dtype=torch.bool)


def test_the_same_as_transformers(network):
    transformers = pytest.importorskip("transformers")
    sizes = {"hidden_size": CONFIG.width, "intermediate_size": CONFIG.inner, "num_hidden_layers": CONFIG.layers}
    theirs = transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=VOCABULARY, num_attention_heads=CONFIG.heads, rms_norm_eps=1e-6, rope_theta=CONFIG.base, **sizes
        )
    ).eval()
    state = {"model.embed_tokens.weight": network.embedding.weight, "lm_head.weight": network.head.weight}
    state["model.norm.weight"] = network.norm.weight
    for i, block in enumerate(network.layers):
        parts = dict(zip("qkv", block.qkv.weight.chunk(3), strict=True))
        named = {f"self_attn.{name}_proj": weight for name, weight in parts.items()}
        named |= {"self_attn.o_proj": block.out.weight, "mlp.gate_proj": block.gate.weight}
        named |= {"mlp.up_proj": block.up.weight, "mlp.down_proj": block.down.weight}
        named |= {"input_layernorm": block.norm_attention.weight, "post_attention_layernorm": block.norm_inner.weight}
        state |= {f"model.layers.{i}.{name}.weight": weight for name, weight in named.items()}
    theirs.load_state_dict(state)
    tokens, mask = _whole(3, 11)
    with torch.no_grad():
        torch.testing.assert_close(network(tokens, mask), theirs(tokens).logits, rtol=1e-4, atol=1e-5)


def test_a_token_does_not_see_those_after_it(network):
    tokens, mask = _whole(2, 9)
    other = tokens.clone()
    other[:, 6:] = (other[:, 6:] + 1) % VOCABULARY
    torch.testing.assert_close(network(tokens, mask)[:, :6], network(other, mask)[:, :6])


def test_spelled_out_attention_is_the_fused_one():
    rng = torch.Generator().manual_seed(0)
    query, key, value = (torch.randn(2, 3, 7, 8, generator=rng) for _ in range(3))
    seen = torch.ones(7, 7, dtype=torch.bool).tril()
    fused = torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=seen)
    torch.testing.assert_close(_attention(query, key, value, seen), fused)


def test_memory_and_padding_on_the_left_change_nothing(network):
    """Prompts of different lengths, side by side, go on as each would by itself."""
    tokens, mask = _whole(3, 12)
    lengths = [2, 5, 4]
    width = max(lengths)
    prompts = torch.zeros(3, width, dtype=torch.int64)
    there = torch.zeros(3, width, dtype=torch.bool)
    for row, length in enumerate(lengths):
        prompts[row, width - length :] = tokens[row, :length]
        there[row, width - length :] = True
    with torch.no_grad():
        logits, memory = network.start(prompts, there)
        for step in range(7):
            for row, length in enumerate(lengths):
                alone = network(tokens[row : row + 1, : length + step], mask[row : row + 1, : length + step])
                torch.testing.assert_close(logits[row], alone[0, -1], rtol=1e-4, atol=1e-5)
            following = torch.stack([tokens[row, length + step] for row, length in enumerate(lengths)])
            if step < 6:
                logits, memory = network.step(following, memory)


def test_some_rows_go_on_as_they_would_among_all(network):
    tokens, mask = _whole(4, 6)
    rows = torch.tensor([3, 1])
    with torch.no_grad():
        _, memory = network.start(tokens, mask)
        among_all, _ = network.step(tokens[:, 0], memory)
        alone, _ = network.step(tokens[rows, 0], network.keep(memory, rows))
    torch.testing.assert_close(alone, among_all[rows])


def test_what_is_told_beside_the_tokens(network):
    """Nothing changes before it is trained; then memory goes on with it as with the tokens."""
    told = Llama(CONFIG, VOCABULARY, Beside(lambda tokens: tokens.cumsum(1)[..., None] % 5, (5,))).eval()
    assert told.load_state_dict(network.state_dict(), strict=False).missing_keys == ["told.0.weight"]
    tokens, mask = _whole(3, 8)
    with torch.no_grad():
        torch.testing.assert_close(told(tokens, mask), network(tokens, mask))
        told.told[0].weight.normal_(generator=torch.Generator().manual_seed(0))
        whole = told(tokens, mask)
        assert float((whole - network(tokens, mask)).abs().max()) > 0.1
        logits, memory = told.start(tokens[:, :3], mask[:, :3])
        memory = told.keep(memory, torch.tensor([2, 0]))
        for place in range(3, 8):
            logits, memory = told.step(tokens[[2, 0], place], memory)
            torch.testing.assert_close(logits, whole[[2, 0], place], rtol=1e-4, atol=1e-5)
