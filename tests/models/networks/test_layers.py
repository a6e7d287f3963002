from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from nucleate.models.networks.layers import Dense, Residual, ResidualPerceptron, perceptron, residuals, scaled


def test_a_perceptron_has_two_hidden_layers():
    layers = perceptron(3, 7, 2)
    x = torch.randn(5, 3)
    first, _, second, _, last = layers
    torch.testing.assert_close(layers(x), last(F.silu(second(F.silu(first(x))))))


@pytest.mark.parametrize("conditioned", [False, True])
def test_a_residual_block_adds_two_layers_of_what_is_normalised(conditioned):
    torch.manual_seed(0)
    block = ResidualPerceptron(6, conditioned=conditioned)
    x, given = torch.randn(4, 6), torch.randn(4, 6)
    hidden = (x - x.mean(1, keepdim=True)) / (x.var(1, correction=0, keepdim=True) + 1e-5).sqrt()
    if block.given is not None:
        hidden = hidden + given @ block.given.weight.T + block.given.bias
    inner = hidden @ block.up.weight.T + block.up.bias
    want = x + (inner * inner.sigmoid()) @ block.down.weight.T + block.down.bias
    torch.testing.assert_close(block(x, given) if conditioned else block(x), want)


def test_dense_layers_keep_the_variance_of_normal_inputs():
    torch.manual_seed(0)
    x = torch.randn(4096, 32)
    assert Dense(32, 32)(x).square().mean().item() == pytest.approx(1, abs=0.1)
    assert Residual(32)(x).square().mean().item() == pytest.approx(1, abs=0.1)


def test_factors_may_wait():
    """A stack whose factors go into weights says what pairs of layers say one after the other."""
    torch.manual_seed(0)
    stack = residuals(8, 3)
    x = torch.randn(5, 8)
    want = 0.3 * x
    for pair in stack:
        want = want + F.silu(F.silu(want @ pair.inner[0].linear.weight.T) / 0.6 @ pair.inner[1].linear.weight.T) / 0.6
        want = want / 2**0.5
    torch.testing.assert_close(scaled(stack.unscaled((x, 0.3))), want)
    torch.testing.assert_close(stack(0.3 * x), want)
    dense = Dense(8, 4)
    torch.testing.assert_close(scaled(dense.unscaled((x, 0.3))), dense(0.3 * x))
