from __future__ import annotations

import ast
import math
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from ase.build.tools import niggli_reduce_cell
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice

from nucleate.geometry import lattice, torus
from tests.strategies import angles, batches, cells, from_parameters, lengths, positions, unimodular


def rows(*values) -> torch.Tensor:
    return torch.tensor(np.array(values), dtype=torch.float64)


def close(actual: torch.Tensor, expected, tolerance: float = 1e-9):
    wanted = expected if isinstance(expected, torch.Tensor) else torch.tensor(np.array(expected), dtype=actual.dtype)
    torch.testing.assert_close(actual, wanted, rtol=tolerance, atol=tolerance)


def test_the_room_needs_torch_alone():
    allowed = {"torch", "jaxtyping", "nucleate"} | sys.stdlib_module_names
    for path in Path(lattice.__file__).parent.glob("*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text())))
        names = [node.module for node in nodes if isinstance(node, ast.ImportFrom)]
        names += [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
        assert {name.split(".")[0] for name in names} <= allowed
        assert all(name.startswith("nucleate.geometry") for name in names if name.startswith("nucleate"))


# --- parameters, matrix, volume ---------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(cells)
def test_parameters_volume_metric_and_spacings_agree_with_pymatgen(cell):
    other = Lattice(cell.numpy())
    found_lengths, found_angles = lattice.parameters(cell[None])
    close(found_lengths[0], other.abc)
    close(found_angles[0], other.angles, 1e-6)
    close(lattice.volume(cell[None])[0], other.volume, 1e-9)
    close(lattice.metric(cell[None])[0], other.metric_tensor)
    close(lattice.plane_spacings(cell[None])[0], [float(other.d_hkl(hkl)) for hkl in np.eye(3)], 1e-6)


@given(st.tuples(lengths, lengths, lengths), st.tuples(angles, angles, angles))
def test_matrix_agrees_with_pymatgen_or_is_nan(edges, corner):
    built = lattice.matrix(rows(edges), rows(corner))
    possible = sum(corner) < 360 and 2 * max(corner) < sum(corner)
    if possible:
        close(built[0], Lattice.from_parameters(*edges, *corner).matrix, 1e-7)
        found_lengths, found_angles = lattice.parameters(built)
        close(found_lengths[0], edges)
        close(found_angles[0], corner, 1e-6)
    elif sum(corner) > 360 or 2 * max(corner) > sum(corner):
        assert built.isnan().all()


@pytest.mark.parametrize(
    ("edges", "corner"),
    [
        ((4, 4, 4), (60, 60, 130)),  # γ > α + β
        ((4, 4, 4), (120, 120, 121)),  # α + β + γ > 360
        ((4, 4, 4), (0, 90, 90)),
        ((4, 4, 4), (90, 180, 90)),
        ((4, 4, 4), (-90, 90, 90)),
        ((4, 4, 4), (90, 270, 90)),
        ((4, 0, 4), (90, 90, 90)),
        ((4, -1, 4), (90, 90, 90)),
        ((4, math.nan, 4), (90, 90, 90)),
        ((4, 4, 4), (90, 90, math.nan)),
    ],
)
def test_impossible_parameters_give_nan_and_leave_the_other_rows_alone(edges, corner):
    built = lattice.matrix(rows(edges, (3, 4, 5)), rows(corner, (90, 90, 90)))
    assert built[0].isnan().all()
    close(built[1], np.diag([3, 4, 5]))


def test_an_impossible_row_does_not_spoil_the_gradient_of_another():
    edges = rows((4, 4, 4), (3, 4, 5)).requires_grad_()
    corner = rows((60, 60, 130), (80, 90, 100)).requires_grad_()
    lattice.volume(lattice.matrix(edges, corner)[1:]).sum().backward()
    assert corner.grad is not None
    assert corner.grad[1].isfinite().all()


def test_parameters_have_a_gradient_at_right_angles():
    cell = torch.eye(3, dtype=torch.float64)[None].requires_grad_()
    lattice.parameters(cell)[1].sum().backward()
    assert cell.grad is not None
    assert cell.grad.isfinite().all()


def test_an_empty_batch_stays_empty():
    empty = torch.zeros(0, 3, 3)
    assert lattice.matrix(*lattice.parameters(empty)).shape == (0, 3, 3)
    assert lattice.volume(empty).shape == (0,)
    assert lattice.niggli(empty)[1].shape == (0, 3, 3)


# --- Niggli -----------------------------------------------------------------------------------------------------------


def ase_niggli(cell: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    parameters = niggli_reduce_cell(cell)[0].cellpar()
    return parameters[:3], parameters[3:]


def assert_same_cell(reduced: torch.Tensor, expected_lengths, expected_angles, tolerance: float = 1e-4):
    """Compares a cell with a reference up to the signs of cosines that are 0 within the tolerance of the reduction."""
    found_lengths, found_angles = lattice.parameters(reduced[None])
    close(found_lengths[0], expected_lengths, tolerance)
    close((found_angles[0] - 90).abs(), np.abs(np.array(expected_angles) - 90), 100 * tolerance)


@settings(max_examples=10)
@given(batches)
def test_niggli_agrees_with_ase(batch):
    reduced, transform = lattice.niggli(batch)
    for cell, row in zip(batch, reduced, strict=True):
        assert_same_cell(row, *ase_niggli(cell.numpy()))
    close(transform.double() @ batch, reduced)
    assert (torch.linalg.det(transform.double()).round() == 1).all()


@settings(max_examples=10)
@given(batches)
def test_niggli_edges_are_the_shortest(batch):
    """Angles are all acute or none; no sum or difference of edges is shorter than the longest edge in it."""
    reduced = lattice.niggli(batch)[0]
    edges = reduced.norm(dim=-1)
    tolerance = 1e-3
    assert (edges.diff(dim=-1) >= -tolerance).all()
    products = lattice.metric(reduced)[:, [1, 0, 0], [2, 2, 1]]
    assert ((products > -tolerance).all(-1) | (products < tolerance).all(-1)).all()
    signs = torch.cartesian_prod(*[torch.tensor([-1.0, 0, 1])] * 3).double()
    last = torch.where(signs != 0, torch.arange(3), -1).amax(-1)
    sums = (signs @ reduced).norm(dim=-1)[:, last >= 0]
    assert (sums >= edges[:, last[last >= 0]] - tolerance).all()


def from_g6(A, B, C, xi, eta, zeta) -> np.ndarray:
    """Row vectors with the squares A, B, C and the doubled products ξ = 2b·c, η = 2a·c, ζ = 2a·b."""
    return np.linalg.cholesky([[A, zeta / 2, eta / 2], [zeta / 2, B, xi / 2], [eta / 2, xi / 2, C]])


SPECIAL = {
    "fcc": 4.05 * (1 - np.eye(3)) / 2,
    "bcc": 2.87 * (1 / 2 - np.eye(3)),
    "simple cubic": np.diag([3.0, 3.0, 3.0]),
    "hexagonal": Lattice.hexagonal(3.2, 5.1).matrix,
    "hexagonal, flat": Lattice.hexagonal(9.7, 2.4).matrix,
    "hexagonal, 60°": from_parameters(3.2, 3.2, 5.1, 90, 90, 60),
    "rhombohedral, 33.6°": Lattice.rhombohedral(4.8, 33.557).matrix,
    "rhombohedral, 57°": Lattice.rhombohedral(5.3, 57.0).matrix,
    "rhombohedral, 89°": Lattice.rhombohedral(5.3, 89.0).matrix,
    "rhombohedral, 112°": Lattice.rhombohedral(5.3, 112.0).matrix,
    "body-centred tetragonal": np.array([[-2, 2, 3.1], [2, -2, 3.1], [2, 2, -3.1]]),
    "base-centred orthorhombic": np.array([[1.5, 2.1, 0], [-1.5, 2.1, 0], [0, 0, 4.4]]),
    "face-centred orthorhombic": np.array([[0, 2.1, 3.3], [1.5, 0, 3.3], [1.5, 2.1, 0]]),
    "body-centred orthorhombic": np.array([[-1.5, 2.1, 3.3], [1.5, -2.1, 3.3], [1.5, 2.1, -3.3]]),
    "base-centred monoclinic": np.array([[1.5, 2.1, 0], [-1.5, 2.1, 0], [-1.2, 0, 5.1]]),
    "A = B, |ξ| > |η|": from_g6(4, 4, 6, -2, -1, -1),
    "ξ = B, 2η < ζ": from_g6(4, 5, 6, 5, 1, 3),
    "η = A, 2ξ < ζ": from_g6(4, 5, 6, 1, 4, 3),
    "ζ = A, 2ξ < η": from_g6(4, 5, 6, 1, 3, 4),
    "ξ + η + ζ + A + B = 0, 2(A + η) + ζ > 0": from_g6(4, 5, 6, -4, -2, -3),
    "triclinic": from_parameters(4.1, 5.2, 6.3, 71, 98, 115),
    "left-handed": from_parameters(4.1, 5.2, 6.3, 71, 98, 115)[[1, 0, 2]],
}
ELONGATED = {"needle": np.diag([1.0, 1.5, 90.0]), "plate": from_parameters(1, 60, 61, 89, 85, 80)}
SKEW = np.array([[1, 0, 0], [3, 1, 0], [-2, 5, 1]])


@pytest.mark.parametrize("name", SPECIAL)
@pytest.mark.parametrize("skew", [np.eye(3, dtype=int), SKEW, SKEW.T @ SKEW])
def test_niggli_agrees_with_pymatgen(name, skew):
    cell = skew @ SPECIAL[name]
    reduced, transform = lattice.niggli(torch.from_numpy(cell)[None])
    expected = Lattice(cell).get_niggli_reduced_lattice()
    assert_same_cell(reduced[0], expected.abc, expected.angles)
    close(transform[0].double() @ torch.from_numpy(cell), reduced[0])
    assert math.copysign(1, torch.linalg.det(reduced[0])) == math.copysign(1, np.linalg.det(cell))


@pytest.mark.parametrize("name", ELONGATED)
def test_niggli_of_elongated_cells_agrees_with_ase(name):
    cell = SKEW @ ELONGATED[name]
    assert_same_cell(lattice.niggli(torch.from_numpy(cell)[None])[0][0], *ase_niggli(cell))


@pytest.mark.parametrize("name", SPECIAL)
def test_niggli_does_not_depend_on_the_description_of_the_lattice(name):
    """Centred lattices have several cells with the shortest edges; the special conditions choose one of them."""
    random = np.random.default_rng(0)
    changes = np.stack([np.eye(3)] * 300)
    for _ in range(6):
        row, other = random.permuted(np.tile(np.arange(3), (300, 1)), axis=1)[:, :2].T
        changes[np.arange(300), row] += random.integers(-2, 3, (300, 1)) * changes[np.arange(300), other]
    found_lengths, found_angles = lattice.parameters(lattice.niggli(torch.from_numpy(changes @ SPECIAL[name]))[0])
    close(found_lengths, found_lengths[:1].expand(300, 3), 1e-6)
    close(found_angles, found_angles[:1].expand(300, 3), 1e-5)


@settings(max_examples=20)
@given(
    st.sampled_from(sorted(SPECIAL)),
    st.lists(st.integers(-2, 2), min_size=9, max_size=9),
    st.sampled_from([1e-12, 1e-9, 1e-7, 1e-3]),
)
def test_niggli_of_a_nearly_symmetric_cell_has_nearly_the_same_edges(name, noise, size):
    cell = SPECIAL[name] + size * np.reshape(noise, (3, 3))
    reduced = lattice.niggli(torch.from_numpy(np.stack([cell, SPECIAL[name]])))[0]
    edges = reduced.norm(dim=-1)
    close(edges[0], edges[1], 1e-4 + 100 * size)
    if size >= 1e-3 or size <= 1e-9:  # between them, products straddle the tolerance
        assert_same_cell(reduced[0], *ase_niggli(cell), tolerance=1e-3)


def test_a_batch_gives_what_each_cell_gives():
    batch = torch.from_numpy(np.stack([SKEW @ cell for cell in list(SPECIAL.values())[::3]]))
    reduced, transform = lattice.niggli(batch)
    for row, cell in enumerate(batch):
        alone = lattice.niggli(cell[None])
        assert torch.equal(alone[0][0], reduced[row])
        assert torch.equal(alone[1][0], transform[row])


def test_niggli_of_a_very_skewed_cell():
    change = np.array([[1, 0, 0], [98765, 1, 0], [-4321, 1234, 1]])
    reduced, transform = lattice.niggli(torch.from_numpy(change @ np.diag([3.0, 4.0, 5.0]))[None])
    close(lattice.parameters(reduced)[0][0], [3, 4, 5], 1e-6)
    assert np.abs(transform[0].numpy() @ change).max() == 1


def test_flat_and_broken_cells_have_no_reduced_cell():
    flat = [[1.0, 0, 0], [0, 1, 0], [1, 1, 0]]
    batch = rows(flat, np.zeros((3, 3)), np.full((3, 3), np.nan), np.diag([1, np.inf, 1]), np.diag([3, 2, 1]))
    reduced, transform = lattice.niggli(batch)
    assert reduced[:4].isnan().all()
    assert (transform[:4] == torch.eye(3)).all()
    close(reduced[4].norm(dim=-1), [1, 2, 3])


def test_niggli_keeps_the_dtype_and_has_a_gradient():
    cell = torch.tensor(SKEW @ SPECIAL["triclinic"], dtype=torch.float32)[None].requires_grad_()
    reduced, _ = lattice.niggli(cell)
    assert reduced.dtype == torch.float32
    assert_same_cell(reduced[0].detach(), *ase_niggli(SPECIAL["triclinic"]))
    reduced.square().sum().backward()
    assert cell.grad is not None
    assert cell.grad.abs().sum() > 0


@settings(max_examples=10)
@given(st.lists(st.tuples(cells, positions()), min_size=1, max_size=10))
def test_niggli_frac_leaves_the_atoms_where_they_are(crystals):
    cell = torch.stack([cell for cell, _ in crystals])
    frac = torch.cat([position for _, position in crystals])
    owner = torch.repeat_interleave(torch.tensor([len(position) for _, position in crystals]))
    reduced, transform = lattice.niggli(cell)
    mapped = lattice.niggli_frac(frac, owner, transform)
    assert ((mapped >= 0) & (mapped < 1)).all()
    old, new = (torch.einsum("ai,aij->aj", x, basis[owner]) for x, basis in ((frac, cell), (mapped, reduced)))
    moved = torch.einsum("ai,aij->aj", new - old, torch.linalg.inv(reduced)[owner])
    assert torus.log_map(torch.zeros_like(moved), moved).abs().max() < 1e-6


@given(unimodular)
def test_inverse_transform_is_exact(change):
    matrix = torch.from_numpy(change)[None]
    assert torch.equal(matrix @ lattice.inverse_transform(matrix), torch.eye(3, dtype=torch.int64)[None])
