"""The small crystal language: crystals written as some thirty tokens, on tensors, without a text in between.

A document goes from what is asked for to the last site:

    <crystal> x2 [conditions] Na x1 Cl x1 <group 225> 5 .69 Na (a) Cl (b) <end>

The number of atoms of the primitive cell stands at the beginning, so that the sizes of samples can be chosen. The
conditions (space group, energy above the hull in eV/atom, band gap in eV) are there or not. Then come the elements in
order of electronegativity with their counts; the space group, unless it was a condition; those lengths and angles of
the conventional cell that it leaves free; and element by element the sites, each a Wyckoff letter and those of x, y and
z that it leaves free. What is asked for are beginnings of such documents: with the formula for CSP, without it for DNG.

Sites of an element are in order of letter and place; or in any order, which makes another document of the same crystal
to learn from, and starts with another token.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from nucleate.crystals import Crystals, Padded
from nucleate.elements import ELECTRONEGATIVITY_RANK, MAX_NUMBER
from nucleate.geometry import space_groups
from nucleate.models.crystal_llm import vocabulary as words
from nucleate.models.crystal_llm.grammar import TokenGrammar
from nucleate.models.crystal_llm.language import Documents, Language, Wish
from nucleate.models.crystal_llm.reading import read_tokens
from nucleate.models.crystal_llm.sites import Sites, describe


@dataclass(frozen=True, kw_only=True)
class TokensConfig:
    """How documents are drawn for training.

    Attributes:
        shuffle: share of documents whose sites of an element are in any order.
        told: how often each condition is part of the prompt.
    """

    shuffle: float = 0.5
    told: float = 0.15


class CrystalTokens(Language):
    """Between crystals and tokens of `vocabulary`."""

    vocabulary = words.SIZE
    pad = words.PAD
    end = words.END
    labels = ("e_above_hull", "band_gap")
    atoms_limit = words.MAX_COUNT

    def __init__(self, config: TokensConfig | None = None) -> None:
        self.config = config or TokensConfig()

    @property
    def description(self) -> str:
        """Changes whenever a crystal would be described in another way."""
        return "wyckoff-sites-1"

    def describe(
        self, crystals: Crystals, *, jobs: int = 1, on_progress: Callable[[float], None] | None = None
    ) -> Float[Tensor, "c p"]:
        """Finds the symmetry of crystals and packs it with their conditions. Takes some milliseconds a crystal."""
        sites = describe(crystals, jobs=jobs, on_progress=on_progress)
        return torch.cat([crystals.numeric(self.labels), sites.packed()], 1)

    def lengths(self, crystals: Padded) -> Int[Tensor, " c"]:
        """Tokens of each document without conditions.

        Raises:
            ValueError: the crystals have no labels.
        """
        return written(self._sites(crystals)[1]).mask.sum(1)

    def fillings(self, crystals: Padded, masked: Int[Tensor, " b"], candidates: Int[Tensor, " b"]) -> Documents:
        """The whole documents: how probable a crystal is tells how well the candidate fits all the rest of it.

        The letters stay, although a candidate that is named in another place of the formula might be described by
        others of equal rank.
        """
        sites = self._sites(crystals)[1]
        numbers = torch.where(sites.numbers == masked[:, None], candidates[:, None], sites.numbers)
        return written(sites._replace(numbers=numbers))

    def _sites(self, crystals: Padded) -> tuple[Float[Tensor, "b 2"], Sites]:
        if crystals.labels is None:
            raise ValueError("documents are written from what `describe` says of the crystals")
        return crystals.labels[:, :2], Sites.unpacked(crystals.labels[:, 2:])

    def documents(self, crystals: Padded, rng: torch.Generator) -> Documents:
        """Writes crystals with conditions and order drawn at random. `labels` are what `describe` returned.

        Raises:
            ValueError: there are no labels.
        """
        conditions, sites = self._sites(crystals)
        count, most = sites.numbers.shape
        device = sites.numbers.device

        def uniform(*shape: int) -> Tensor:
            return torch.rand(*shape, generator=rng, device=rng.device).to(device)

        shuffled = uniform(count) < self.config.shuffle
        told = uniform(count, 3) < self.config.told
        keys = uniform(count, words.MAX_COUNT)[:, :most]
        return written(sites, conditions, told=told, shuffled=shuffled, keys=keys)

    def prompts(self, wishes: Sequence[Wish]) -> Documents:
        """Beginnings of documents: size and conditions, and the formula where it is given.

        Raises:
            ValueError: neither a formula nor a number of atoms is given.
        """
        rows = [prompt(wish) for wish in wishes]
        width = max(map(len, rows))
        tokens = torch.tensor([[words.PAD] * (width - len(row)) + row for row in rows])
        return Documents(tokens, tokens != words.PAD, torch.zeros_like(tokens, dtype=torch.bool))

    def read(self, answers: Int[Tensor, "b t"], wishes: Sequence[Wish]) -> Crystals:
        """Reads answers; one that cannot be read is a row with its failure's reason."""
        return read_tokens([prompt(wish) for wish in wishes], answers.tolist())

    def longest(self, wishes: Sequence[Wish]) -> int:
        """Tokens of an answer without symmetry whose atoms are all of different elements."""
        return _SURROUND + 7 * max(size(wish) for wish in wishes)

    def grammar(
        self,
        wishes: Sequence[Wish],
        device: torch.device,
        *,
        elements: Bool[Tensor, " e"] | None = None,
        clearance: float = 0.0,
    ) -> TokenGrammar:
        """What may come next, so that every answer can be read."""
        return TokenGrammar([prompt(wish) for wish in wishes], device, elements=elements, clearance=clearance)

    def neighbours(self, tokens: Int[Tensor, "b t"]) -> Int[Tensor, "b t 2"]:
        """The coordinates before and after each coordinate, around the cell."""
        start, length = words.PLACES.start, words.PLACES.length
        place = tokens - start
        beside = [torch.where(place >= 0, start + (place + shift) % length, tokens) for shift in (-1, 1)]
        return torch.stack(beside, -1)

    def parts(self, documents: Documents) -> dict[str, Bool[Tensor, "b t"]]:
        """The formula, which ends at the space group or the cell, and the structure."""
        tokens = documents.tokens
        before = F.pad(tokens, (1, 0))[:, :-1]
        formula = (tokens < words.GROUPS.start) & (before < words.GROUPS.start)
        return {"formula": documents.answer & formula, "structure": documents.answer & ~formula}

    def weights(self, documents: Documents) -> Float[Tensor, "b t"]:
        """Cell and sites count half: they say much of the same, and a network that takes each for news is too sure."""
        parts = self.parts(documents)
        return parts["formula"] + STRUCTURE_WEIGHT * parts["structure"]

    def settles(self, tokens: Int[Tensor, " b"]) -> Bool[Tensor, " b"]:
        """The space group comes right after the formula."""
        return (tokens >= words.GROUPS.start) & (tokens < words.GROUPS.stop)


def written(
    sites: Sites,
    conditions: Float[Tensor, "b 2"] | None = None,
    *,
    told: Bool[Tensor, "b 3"] | None = None,
    shuffled: Bool[Tensor, " b"] | None = None,
    keys: Float[Tensor, "b s"] | None = None,
) -> Documents:
    """Writes crystals as documents.

    Args:
        sites: what they are.
        conditions: energy above the hull and band gap.
        told: which of space group, energy and gap are part of the prompt; none by default.
        shuffled: whose sites are in the order of `keys`; none by default.
        keys: random numbers.
    """
    count, device = len(sites.group), sites.group.device
    if conditions is None:
        conditions = torch.full((count, 2), torch.nan, device=device)
    known = torch.cat([torch.ones(count, 1, dtype=torch.bool, device=device), ~conditions.isnan()], 1)
    told = torch.zeros_like(known) if told is None else told & known
    shuffled = torch.zeros(count, dtype=torch.bool, device=device) if shuffled is None else shuffled
    ordered = _in_order(sites, shuffled, keys)
    many = space_groups.wyckoff().multiplicity.to(device)[ordered.group[:, None], ordered.letters] * ordered.mask
    head, head_there = _header(many.sum(1), ordered.group, conditions, told, shuffled)
    body, body_there = _body(ordered, many, told)
    answer = torch.zeros(count, head.shape[1] + body.shape[1], dtype=torch.bool, device=device)
    answer[:, head.shape[1] :] = True
    return _compact(torch.cat([head, body], 1), torch.cat([head_there, body_there], 1), answer)


def _steps(values: Float[Tensor, "b s 3"]) -> Int[Tensor, "b s 3"]:
    return (values * words.STEPS).round().long() % words.STEPS


def _in_order(sites: Sites, shuffled: Bool[Tensor, " b"], keys: Float[Tensor, "b s"] | None) -> Sites:
    """The sites in the order of the document."""
    place = _steps(sites.values)
    within = sites.letters
    for axis in range(3):
        within = within * words.STEPS + place[..., axis]
    within = within.double() / (32.0 * words.STEPS**3)
    if keys is not None:
        within = torch.where(shuffled[:, None], keys.double(), within)
    rank = torch.tensor(ELECTRONEGATIVITY_RANK, device=place.device)
    order = (rank[sites.numbers].double().masked_fill(~sites.mask, MAX_NUMBER + 1) + within).argsort(1)
    return sites._replace(
        numbers=sites.numbers.gather(1, order),
        letters=sites.letters.gather(1, order),
        values=sites.values.gather(1, order[..., None].expand_as(sites.values)),
    )


def _header(
    atoms: Int[Tensor, " b"],
    group: Int[Tensor, " b"],
    conditions: Float[Tensor, "b 2"],
    told: Bool[Tensor, "b 3"],
    shuffled: Bool[Tensor, " b"],
) -> tuple[Int[Tensor, "b 8"], Bool[Tensor, "b 8"]]:
    """Start, size and conditions, and which of them are there."""
    hull, gap = (conditions.nan_to_num() * words.DIGITS).round().long().unbind(1)
    gap = gap.clamp(0, words.MAX_WHOLE * words.DIGITS)
    start = torch.where(shuffled, words.SHUFFLED, words.START)
    columns = [
        start,
        words.COUNTS.start + atoms,
        words.GROUPS.start + group,
        torch.full_like(start, words.E_ABOVE_HULL),
        words.HUNDREDTHS.start + hull.clamp(0, words.DIGITS - 1),
        torch.full_like(start, words.BAND_GAP),
        words.WHOLE.start + gap // words.DIGITS,
        words.HUNDREDTHS.start + gap % words.DIGITS,
    ]
    always = torch.ones_like(shuffled)
    there = [always, always, told[:, 0], told[:, 1], told[:, 1], told[:, 2], told[:, 2], told[:, 2]]
    return torch.stack(columns, 1), torch.stack(there, 1)


def _body(
    sites: Sites, many: Int[Tensor, "b s"], told: Bool[Tensor, "b 3"]
) -> tuple[Int[Tensor, "b t"], Bool[Tensor, "b t"]]:
    """Formula, space group, cell, sites and end, and which places of the columns are filled."""
    group, numbers, mask = sites.group, sites.numbers, sites.mask
    first = mask & (numbers != F.pad(numbers, (1, 0))[:, :-1])
    of_element = ((numbers[:, :, None] == numbers[:, None]) * many[:, None]).sum(-1)
    element = words.ELEMENTS.start + numbers
    formula = torch.stack([element, words.COUNTS.start + of_element], -1).flatten(1)
    cell, cell_there = _cell(group, sites.parameters)
    free = space_groups.wyckoff().free.to(group.device)[group[:, None], sites.letters] & mask[..., None]
    letter = words.LETTERS.start + sites.letters
    parts = torch.cat([element[..., None], letter[..., None], words.PLACES.start + _steps(sites.values)], -1)
    parts_there = torch.cat([first[..., None], mask[..., None], free], -1)
    end = torch.full_like(group[:, None], words.END)
    return (
        torch.cat([formula, words.GROUPS.start + group[:, None], cell, parts.flatten(1), end], 1),
        torch.cat(
            [first.repeat_interleave(2, 1), ~told[:, :1], cell_there, parts_there.flatten(1), end > 0],
            1,
        ),
    )


def _cell(
    group: Int[Tensor, " b"], parameters: Float[Tensor, "b 6"]
) -> tuple[Int[Tensor, "b 12"], Bool[Tensor, "b 12"]]:
    """Lengths and angles, each a whole number and hundredths, and which of them the group leaves free."""
    hundredths = (parameters * words.DIGITS).round().long().clamp(1, words.MAX_WHOLE * words.DIGITS)
    parts = [words.WHOLE.start + hundredths // words.DIGITS, words.HUNDREDTHS.start + hundredths % words.DIGITS]
    free = space_groups.free_cell().to(group.device)[group]
    return torch.stack(parts, -1).flatten(1), free.repeat_interleave(2, 1)


def _compact(tokens: Int[Tensor, "b t"], there: Bool[Tensor, "b t"], answer: Bool[Tensor, "b t"]) -> Documents:
    """Moves what is there to the left."""
    place = there.cumsum(1) - 1
    width = int(place[:, -1].max()) + 1
    # What is not there goes to one more column at the end, which is cut off.
    target = torch.where(there, place, width)
    kept = tokens.new_full((len(tokens), width + 1), words.PAD).scatter_(1, target, tokens)[:, :width]
    learned = torch.zeros(len(tokens), width + 1, dtype=torch.bool, device=tokens.device)
    return Documents(kept, kept != words.PAD, learned.scatter_(1, target, answer)[:, :width])


def prompt(wish: Wish) -> list[int]:
    """The beginning of a document that says what is asked for."""
    row = [words.START, words.COUNTS.start + size(wish)]
    if wish.space_group is not None:
        row.append(words.GROUPS.start + wish.space_group)
    if wish.e_above_hull is not None:
        row += [words.E_ABOVE_HULL, words.HUNDREDTHS.start + _hundredths(wish.e_above_hull, words.DIGITS - 1)]
    if wish.band_gap is not None:
        gap = _hundredths(wish.band_gap, words.MAX_WHOLE * words.DIGITS)
        row += [words.BAND_GAP, words.WHOLE.start + gap // words.DIGITS, words.HUNDREDTHS.start + gap % words.DIGITS]
    if wish.numbers is not None:
        for number, atoms in groupby(sorted(wish.numbers, key=ELECTRONEGATIVITY_RANK.__getitem__)):
            row += [words.ELEMENTS.start + number, words.COUNTS.start + len(list(atoms))]
    return row


def _hundredths(value: float, most: int) -> int:
    return min(max(round(value * words.DIGITS), 0), most)


def size(wish: Wish) -> int:
    """Atoms in the primitive cell.

    Raises:
        ValueError: it is not said, or cannot be written.
    """
    found = len(wish.numbers) if wish.numbers is not None else wish.num_atoms
    if found is None or not 0 < found <= words.MAX_COUNT:
        raise ValueError(f"the language needs a number of atoms from 1 to {words.MAX_COUNT}, not {found}")
    return found


STRUCTURE_WEIGHT = 0.5
"""Of what follows the formula, where fillings are compared."""

_SURROUND = 24
"""Tokens of a document that do not grow with the number of atoms, at most."""
