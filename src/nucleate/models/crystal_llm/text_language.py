"""The language of plain text: crystals, and what is asked for, through any Hugging Face tokenizer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float, Int
from torch import Tensor

from nucleate.crystals import Crystals, Padded
from nucleate.elements import SYMBOLS
from nucleate.errors import UserError
from nucleate.files.extras import llm_extra
from nucleate.models.crystal_llm.language import LABELS, Documents, Language, Wish
from nucleate.models.crystal_llm.prompts import (
    Example,
    TasksConfig,
    draw_examples,
    generation_prompt,
    infill_prompts,
)
from nucleate.models.crystal_llm.text import TextFormat, shuffled, translated
from nucleate.models.crystal_llm.text_parsing import MAX_ATOMS, Parsed, Reason, built, failed_at, parse
from nucleate.models.networks.hub import only_local

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase
else:
    PreTrainedTokenizerBase = object  # the library is imported when a tokenizer is loaded


@dataclass(frozen=True, kw_only=True)
class TextConfig:
    """How documents are written and read.

    Attributes:
        form: decimals.
        tasks: shares of the tasks and of what is said.
        translate: whether crystals are moved by a random vector before they are learned from.
        shuffle: whether their atoms are put in a random order.
        answer_only: whether the prompt is left out of the loss.
        max_atoms: answers with more atoms fail.
        room: atoms for which an answer has room where no number of atoms is asked for.
        keep_text: whether answers that failed are kept in the column `text`.
    """

    form: TextFormat = field(default_factory=TextFormat)
    tasks: TasksConfig = field(default_factory=TasksConfig)
    translate: bool = True
    shuffle: bool = True
    answer_only: bool = True
    max_atoms: int = MAX_ATOMS
    room: int = 40
    keep_text: bool = False


def load_tokenizer(name: str, revision: str | None = None) -> PreTrainedTokenizerBase:
    """Loads a tokenizer.

    Args:
        name: a local folder, or a name on the Hugging Face Hub.
        revision: branch, tag or commit on the Hub.

    Raises:
        UserError: transformers is not installed, or there is no such tokenizer.
    """
    try:
        local = only_local(name, revision)  # before transformers, which takes seconds to be imported
        with llm_extra():
            from transformers import AutoTokenizer
        return AutoTokenizer.from_pretrained(name, revision=revision, local_files_only=local)
    except UserError:
        raise
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"no tokenizer could be loaded from {name!r}: {str(error).splitlines()[0]}") from error


class TextLanguage(Language):
    """Between crystals and the tokens of a tokenizer.

    Prompt and answer are tokenised apart and joined, so that a prompt in sampling has the tokens that it had in
    training. A document starts with the tokenizer's start token, if it has one, and ends with its end token.

    Args:
        tokenizer: of the model.
        config: how documents are written.

    Raises:
        UserError: the tokenizer has no end token.
    """

    labels = LABELS

    def __init__(self, tokenizer: PreTrainedTokenizerBase, config: TextConfig | None = None) -> None:
        self.tokenizer = tokenizer
        self.config = config or TextConfig()
        if not isinstance(tokenizer.eos_token_id, int):
            raise UserError("the tokenizer has no token that ends a text, by which answers would end")
        self.vocabulary = len(tokenizer)
        self.end = tokenizer.eos_token_id
        # Masks say where there is padding, so that the end token can fill up where there is no token for it.
        self.pad = tokenizer.pad_token_id if isinstance(tokenizer.pad_token_id, int) else self.end
        self.start = [tokenizer.bos_token_id] if isinstance(tokenizer.bos_token_id, int) else []

    # --- training -----------------------------------------------------------------------------------------------

    def documents(self, crystals: Padded, rng: torch.Generator) -> Documents:
        """Draws a task for each crystal and writes it; `labels` are what `describe` returned, if anything is known."""
        data = Crystals.from_padded(crystals._replace(labels=None)).to(device="cpu", dtype=torch.float64)
        if self.config.translate:
            data = translated(data, rng)
        if self.config.shuffle:
            data = shuffled(data, rng)
        labels = None if crystals.labels is None else crystals.labels.cpu()
        examples = draw_examples(data, labels, self.config.tasks, self.config.form, rng)
        return self._joined(examples, crystals.mask.device)

    def fillings(self, crystals: Padded, masked: Int[Tensor, " b"], candidates: Int[Tensor, " b"]) -> Documents:
        """Asks for the hidden element and answers with the candidate; labels are not looked at.

        Raises:
            ValueError: a crystal does not have the element that is hidden.
        """
        data = Crystals.from_padded(crystals._replace(labels=None)).to(device="cpu", dtype=torch.float64)
        prompts = infill_prompts(data, masked.tolist(), self.config.form)
        examples = [Example(p, SYMBOLS[z]) for p, z in zip(prompts, candidates.tolist(), strict=True)]
        return self._joined(examples, crystals.mask.device)

    def _joined(self, examples: Sequence[Example], device: torch.device) -> Documents:
        """Prompts and answers as documents."""
        prompts = [[*self.start, *row] for row in self._tokens([example.prompt for example in examples])]
        answers = self.answers([example.answer for example in examples])
        tokens, mask = _block([p + a for p, a in zip(prompts, answers, strict=True)], self.pad, left=False)
        given = torch.tensor([len(prompt) for prompt in prompts], dtype=torch.int64)
        learned = mask.clone()
        if self.config.answer_only:
            learned &= torch.arange(tokens.shape[1]) >= given[:, None]
        return Documents(tokens.to(device), mask.to(device), learned.to(device))

    @property
    def description(self) -> str:
        """Changes whenever a crystal would be described in another way."""
        return "text-labels-1"

    def describe(
        self, crystals: Crystals, *, jobs: int = 1, on_progress: Callable[[float], None] | None = None
    ) -> Float[Tensor, "c p"]:
        """Space group, energy above the hull and band gap, where the columns are there."""
        return crystals.numeric(LABELS)

    # --- sampling -----------------------------------------------------------------------------------------------

    def prompts(self, wishes: Sequence[Wish]) -> Documents:
        """Asks for crystals.

        Raises:
            ValueError: a wish names no space group that there is, or a number that is not finite.
        """
        prompts = self._tokens([generation_prompt(wish) for wish in wishes])
        tokens, mask = _block([[*self.start, *row] for row in prompts], self.pad, left=True)
        return Documents(tokens, mask, torch.zeros_like(mask))

    def answers(self, texts: Sequence[str]) -> list[list[int]]:
        """Tokens of answers, each with the end token."""
        return [[*row, self.end] for row in self._tokens(texts)]

    def longest(self, wishes: Sequence[Wish]) -> int:
        """As many tokens as the longest answer has characters, of which a token has at least one."""
        atoms = [self.config.room]
        if all(wish.numbers is not None or wish.num_atoms is not None for wish in wishes):
            atoms = [wish.num_atoms or 0 if wish.numbers is None else len(wish.numbers) for wish in wishes]
        form = self.config.form
        # Three digits, a point and a blank beside the decimals; one digit for coordinates; an element and its newline.
        cell = 3 * (5 + form.lengths) + 3 * (5 + form.angles)
        return cell + (3 + 3 * (3 + form.coordinates)) * max(atoms, default=0) + _SPARE

    def read(self, answers: Int[Tensor, "b t"], wishes: Sequence[Wish]) -> Crystals:
        """Reads answers up to the end token.

        Returns:
            One row an answer. One that cannot be read, that was cut, or whose formula is not the one that was asked
            for has its `Reason` in `info["failure"]`, and in `info["failure_line"]` the line, 0 for a wrong formula.
        """
        rows, ended = self._until_end(answers.tolist())
        texts = self.tokenizer.batch_decode(rows, skip_special_tokens=False, clean_up_tokenization_spaces=False)
        parsed = [
            _judged(parse(text, self.config.max_atoms), text, whole, wish)
            for text, whole, wish in zip(texts, ended, wishes, strict=True)
        ]
        return built(parsed, texts if self.config.keep_text else None)

    def _until_end(self, answers: list[list[int]]) -> tuple[list[list[int]], list[bool]]:
        """The answers without what comes after the first end or padding, and which of them had an end."""
        kept, ended = [], []
        for row in answers:
            stops = [place for place, token in enumerate(row) if token in (self.end, self.pad)]
            kept.append(row[: stops[0]] if stops else row)
            ended.append(bool(stops) and row[stops[0]] == self.end)
        return kept, ended

    def _tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """Tokens of texts, without those that a tokenizer puts around them."""
        if not texts:
            return []
        return self.tokenizer(list(texts), add_special_tokens=False)["input_ids"]  # pyright: ignore[reportReturnType]


def _judged(row: Parsed, text: str, ended: bool, wish: Wish) -> Parsed:
    """What was read, held against what was asked for and whether the model had finished."""
    last = len(text.rstrip().split("\n"))
    if not ended and (not row.reason or row.line >= last):
        return failed_at(Reason.NO_END, last)
    if not row.reason and wish.numbers is not None and sorted(row.numbers) != sorted(wish.numbers):
        return failed_at(Reason.WRONG_FORMULA, 0)
    return row


def _block(rows: Sequence[Sequence[int]], pad: int, *, left: bool) -> tuple[Int[Tensor, "b t"], Tensor]:
    """Rows of tokens in one tensor, and which of its places they fill."""
    width = max(map(len, rows), default=0)
    tokens = torch.full((len(rows), width), pad)
    mask = torch.zeros(len(rows), width, dtype=torch.bool)
    for place, row in enumerate(rows):
        there = slice(width - len(row), width) if left else slice(0, len(row))
        tokens[place, there] = torch.tensor(row, dtype=torch.int64)
        mask[place, there] = True
    return tokens, mask


_SPARE = 2
"""Tokens of an answer that are no characters of it: its end, and the blank that some tokenizers begin with."""
