"""CSPNet against the same network written plainly, and against its symmetries."""

from __future__ import annotations

import pytest
import torch

from benchmarks.plain_cspnet import PlainCSPNet
from nucleate.models.networks import cspnet
from nucleate.models.networks.cspnet import CSPNet, CSPNetConfig, embed_time

SIZES = {"width": 16, "layers": 2, "frequencies": 5, "time_width": 8}
TYPES_IN, TYPES_OUT = 4, 3
COUNTS = (4, 1, 6, 4, 2, 6, 4)


def one_padded_block(mask):
    """How accelerators divide a batch."""
    return [(torch.arange(len(mask)), mask.shape[1])]


@pytest.fixture(params=["by size", "padded"])
def division(request, monkeypatch):
    """Both ways to divide a batch into blocks."""
    if request.param == "padded":
        monkeypatch.setattr(cspnet, "_blocks", one_padded_block)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return CSPNet(CSPNetConfig(**SIZES), TYPES_IN, TYPES_OUT).double()


def cells(count, rng):
    return 4 * torch.eye(3).double() + 0.8 * torch.randn(count, 3, 3, generator=rng, dtype=torch.float64)


def inputs(counts=COUNTS, dtype=torch.float64):
    rng = torch.Generator().manual_seed(1)
    counts = torch.tensor(counts)
    mask = torch.arange(int(counts.max())) < counts[:, None]
    batch, atoms = mask.shape
    cell = cells(batch, rng)
    values = {
        "types": torch.randn(batch, atoms, TYPES_IN, generator=rng),
        "frac": torch.rand(batch, atoms, 3, generator=rng),
        "lattice": torch.randn(batch, 6, generator=rng),
        "metric": cell @ cell.mT,
        "time": torch.rand(batch, generator=rng),
    }
    return {name: value.to(dtype) for name, value in values.items()} | {"mask": mask}


def plain_outputs(plain, given):
    mask = given["mask"]
    cell = torch.linalg.cholesky(given["metric"])  # any cell with these scalar products
    return plain(given["types"][mask], given["frac"][mask], given["lattice"], cell, given["time"], mask.sum(1))


def assert_same(got, want, **tolerance):
    for one, other in zip(got, want, strict=True):
        torch.testing.assert_close(one, other, **tolerance)


@pytest.mark.usefixtures("division")
def test_equals_the_plain_network_with_the_same_weights(network):
    plain = PlainCSPNet(TYPES_IN, TYPES_OUT, **SIZES).double()
    plain.load_state_dict(network.state_dict())
    given = inputs()
    mask = given["mask"]
    types, frac, lattice = network(**given)
    want = plain_outputs(plain, given)
    assert_same((types[mask], frac[mask], lattice), want, atol=1e-12, rtol=1e-12)
    assert not bool(types[~mask].any())
    assert not bool(frac[~mask].any())

    sum(part.square().sum() for part in (types, frac, lattice)).backward()
    sum(part.square().sum() for part in want).backward()
    for (name, one), other in zip(network.named_parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, atol=1e-11, rtol=1e-9, msg=lambda text, name=name: name + text)


@pytest.mark.usefixtures("division")
def test_gradients_with_respect_to_the_state(network):
    given = inputs((2, 3))
    state = [given[name].requires_grad_() for name in ("types", "frac", "lattice", "metric", "time")]

    def outputs(*values):
        return tuple(network(*values, given["mask"]))

    torch.autograd.gradcheck(outputs, state, atol=1e-6)


def test_translation_changes_nothing(network):
    given = inputs()
    shift = torch.rand(len(COUNTS), 1, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    moved = given | {"frac": given["frac"] + shift}
    wrapped = given | {"frac": moved["frac"] % 1}
    assert_same(network(**moved), network(**given), atol=1e-12, rtol=0)
    assert_same(network(**wrapped), network(**given), atol=1e-12, rtol=0)


def test_permutation_permutes(network):
    given = inputs((5, 5))
    order = torch.tensor([3, 0, 4, 1, 2])
    permuted = given | {name: given[name][:, order] for name in ("types", "frac")}
    types, frac, lattice = network(**given)
    assert_same(network(**permuted), (types[:, order], frac[:, order], lattice), atol=1e-12, rtol=0)


@pytest.mark.usefixtures("division")
def test_padding_has_no_influence(network):
    given = inputs()
    alone = {name: value[1:2] for name, value in given.items()}
    alone |= {name: alone[name][:, : COUNTS[1]] for name in ("types", "frac", "mask")}
    hidden = ~given["mask"].unsqueeze(-1)
    filled = given | {name: torch.where(hidden, 7.3, given[name]) for name in ("types", "frac")}
    types, frac, lattice = network(**filled)
    assert_same((types, frac, lattice), network(**given), atol=0, rtol=0)
    assert_same((types[1:2, :1], frac[1:2, :1], lattice[1:2]), network(**alone), atol=1e-12, rtol=0)


@pytest.mark.parametrize("name", ["types", "frac", "lattice", "metric", "time"])
def test_every_input_matters(network, name):
    given = inputs()
    changed = given | {name: given[name] * (1 + 0.1 * given[name])}
    assert not torch.allclose(network(**changed).frac, network(**given).frac, atol=1e-9)


def test_only_angles_are_read_from_the_metric(network):
    """Lengths are for the flow's own lattice coordinates, which are of order 1."""
    given = inputs()
    assert_same(network(**given | {"metric": 9 * given["metric"]}), network(**given), atol=1e-12, rtol=0)


@pytest.mark.usefixtures("division")
def test_impossible_cells_and_atoms_on_top_of_each_other_stay_finite(network):
    given = inputs()
    given["frac"][:, 1:] = given["frac"][:, :1]
    given["frac"][2, 1] += torch.tensor([0.3, -0.3, 0.3])
    given["metric"][2] = torch.tensor([[1.0, -0.9, -0.9], [-0.9, 1.0, -0.9], [-0.9, -0.9, 1.0]])
    given["frac"].requires_grad_()
    out = network(**given)
    sum(part.sum() for part in out).backward()
    assert all(bool(part.isfinite().all()) for part in (*out, given["frac"].grad))


def test_types_are_left_out_when_not_asked_for():
    out = CSPNet(CSPNetConfig(**SIZES), TYPES_IN, 0)(**inputs(dtype=torch.float32))
    assert out.types.shape == (len(COUNTS), max(COUNTS), 0)


@pytest.mark.usefixtures("division")
def test_bfloat16_is_near(network):
    network = network.float()
    given = inputs(dtype=torch.float32)
    with torch.no_grad():
        exact = network(**given)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        near = network(**given)
    for one, other in zip(near, exact, strict=True):
        assert one.dtype is torch.float32
        assert float((one - other).norm() / other.norm()) < 0.02
        assert not torch.equal(one, other)


def test_time_embedding_is_the_transformers():
    """Position 1000 t, width 6: rates 1, 1/100, 1/10000."""
    embedded = embed_time(torch.tensor([0.25]).double(), 6)
    angle = 250 * torch.tensor([1, 1e-2, 1e-4]).double()
    torch.testing.assert_close(embedded[0], torch.cat([angle.sin(), angle.cos()]))
