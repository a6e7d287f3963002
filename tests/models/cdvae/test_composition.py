from __future__ import annotations

import itertools

import pytest
import torch

from nucleate.elements import NUMBERS
from nucleate.models.cdvae.composition import PerAtomComposition, SpelledComposition, spell
from nucleate.models.parts.atoms import CLASSES, element_counts

NA, CL, O, LI = (NUMBERS[s] for s in ("Na", "Cl", "O", "Li"))


def block(*compositions):
    width = max(map(len, compositions))
    numbers = torch.tensor([[*c, *[0] * (width - len(c))] for c in compositions])
    return numbers, numbers > 0


def only(*elements):
    allowed = torch.zeros(CLASSES, dtype=torch.bool)
    allowed[list(elements)] = True
    return allowed


def test_spelling_is_by_electronegativity():
    elements, counts = spell(*block([O, NA, O, LI], [CL, NA], [O]))
    assert elements.tolist() == [[NA, LI, O], [NA, CL, 0], [O, 0, 0]]
    assert counts.tolist() == [[1, 1, 2], [1, 1, 0], [1, 0, 0]]


@pytest.fixture
def spelled():
    torch.manual_seed(0)
    return SpelledComposition(3, 16)


def test_probabilities_of_all_spellings_add_up_to_at_most_1(spelled):
    """All compositions of 3 atoms of four elements, one spelling each; the rest goes to other elements."""
    with torch.no_grad():
        spelled.to_element.bias.copy_(torch.where(only(NA, CL, O, LI), 12.0, -12.0))
    every = list(itertools.combinations_with_replacement([NA, LI, CL, O], 3))
    context = torch.randn(1, 3).expand(len(every), 3)
    probabilities = spelled.log_probability(context, spell(*block(*every))).exp()
    assert len(every) == 20
    assert 0.1 < float(probabilities.sum()) <= 1.0 + 1e-5


def test_draws_have_the_asked_size_and_elements(spelled):
    atoms = torch.tensor([1, 5, 3, 20])
    drawn = spelled.draw(torch.randn(4, 3), atoms, only(NA, O, CL), 1.0, torch.Generator().manual_seed(0))
    assert drawn.shape == (4, 20)
    assert (drawn > 0).sum(1).tolist() == atoms.tolist()
    assert set(drawn.flatten().tolist()) <= {0, NA, O, CL}


def test_draws_are_as_frequent_as_probable(spelled):
    allowed = only(NA, O, CL)
    with torch.no_grad():
        spelled.to_element.bias.copy_(torch.where(allowed, 20.0, -20.0))
    context = torch.randn(1, 3)
    many = 4000
    rng = torch.Generator().manual_seed(1)
    drawn = spelled.draw(context.expand(many, 3), torch.full((many,), 2), allowed, 1.0, rng)
    for composition in ([NA, NA], [NA, CL], [NA, O], [CL, CL]):
        share = (drawn.sort()[0] == torch.tensor(composition).sort()[0]).all(1).float().mean()
        expected = float(spelled.log_probability(context, spell(*block(composition))).exp())
        assert float(share) == pytest.approx(expected, abs=0.03)


def test_temperature_0_repeats_itself(spelled):
    context, atoms = torch.randn(1, 3).expand(5, 3), torch.full((5,), 6)
    drawn = spelled.draw(context, atoms, only(NA, O, CL), 0.0, torch.Generator().manual_seed(0))
    assert len(drawn.unique(dim=0)) == 1


def test_a_head_learns_a_composition(spelled):
    target = spell(*block([NA, CL, O, O]))
    optimizer = torch.optim.Adam(spelled.parameters(), lr=0.02)
    context = torch.ones(1, 3)
    for _ in range(60):
        optimizer.zero_grad()
        spelled.loss(context, target).sum().backward()
        optimizer.step()
    drawn = spelled.draw(context, torch.tensor([4]), torch.ones(CLASSES, dtype=torch.bool), 0.0, torch.Generator())
    assert sorted(drawn[0].tolist()) == sorted([NA, CL, O, O])


def test_per_atom_gives_each_element_its_share():
    head = PerAtomComposition(2, 8)
    shares = torch.full((CLASSES,), -30.0)
    shares[NA], shares[O], shares[CL] = 0.0, 0.0, -0.7
    with torch.no_grad():
        head.inner[2].weight.zero_()
        head.inner[2].bias.copy_(shares)
    everything = torch.ones(CLASSES, dtype=torch.bool)
    atoms = torch.tensor([5, 1, 10])
    drawn = head.draw(torch.zeros(3, 2), atoms, everything, 1.0, torch.Generator().manual_seed(0))
    assert (drawn > 0).sum(1).tolist() == [5, 1, 10]
    counts = element_counts(drawn, drawn > 0)
    assert counts[2, [NA, O, CL]].tolist() == [4, 4, 2]
    assert counts[0, [NA, O, CL]].tolist() == [2, 2, 1]
    # The published loss is the cross-entropy of an atom drawn at random.
    spelling = spell(*block([NA, NA, CL]))
    expected = -(2 * head.log_shares(torch.zeros(1, 2))[0, NA] + head.log_shares(torch.zeros(1, 2))[0, CL]) / 3
    torch.testing.assert_close(head.loss(torch.zeros(1, 2), spelling)[0], expected)
