from __future__ import annotations

import itertools
from functools import cmp_to_key

from hypothesis import example, given
from hypothesis import strategies as st

from nucleate.files.natural import natural_key

names = st.lists(st.text("ab0123٣_./-é²", max_size=8), max_size=12)


def order(left: str, right: str) -> int:
    """The definition, one character after the other: numbers by value, then by text; everything else by code point."""
    while left and right:
        first, second = number(left), number(right)
        if first and second:
            if int(first) != int(second):
                return -1 if int(first) < int(second) else 1
            if first != second:
                return -1 if first < second else 1
        elif ((first and "0") or left[0]) != ((second and "0") or right[0]):
            return -1 if ((first and "0") or left[0]) < ((second and "0") or right[0]) else 1
        left, right = left[len(first) or 1 :], right[len(second) or 1 :]
    return bool(left) - bool(right)


def number(text: str) -> str:
    digits = ""
    while text and text[0].isdecimal():
        digits, text = digits + text[0], text[1:]
    return digits


@given(names)
@example(["gen_10.cif", "gen_2.cif", "gen_1.cif", "gen_0.cif", "gen.cif"])
@example(["run_10/a.cif", "run_2/b.cif", "run_02/c.cif", "run_2/a.cif"])
@example(["0", "00", "", "/"])
def test_names_sort_as_they_are_defined_to(items):
    assert sorted(items, key=natural_key) == sorted(items, key=cmp_to_key(order))


@given(names)
def test_the_order_is_total(items):
    assert sorted(items, key=natural_key) == sorted(items, key=natural_key)
    assert len({natural_key(name) for name in items}) == len(set(items))


@given(st.lists(st.text("abc_./", max_size=6)))
def test_names_without_numbers_sort_as_text(items):
    assert sorted(items, key=natural_key) == sorted(items)


@given(st.lists(st.tuples(st.sampled_from(["a1/", "a01/", "a/", "a.", "a10/"]), st.text("01b", max_size=3))))
def test_the_files_of_a_folder_stay_together(parts):
    folders = [name[: name.index("/") + 1] for name in sorted(map("".join, parts), key=natural_key) if "/" in name]
    assert sum(a != b for a, b in itertools.pairwise(folders)) == max(len(set(folders)) - 1, 0)


def test_numbers_may_be_long():
    names = [f"a{'9' * 5000}", f"a1{'0' * 5000}", "a5"]
    assert sorted(names, key=natural_key) == ["a5", *names[:2]]
