from __future__ import annotations

import json

import pytest

from nucleate import datasets, files
from nucleate.cli import explore, main
from nucleate.cli._names import named
from nucleate.crystals import Crystals

JMP = ("--embedding", "jmp", "--jmp-code", ".")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NUCLEATE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def samples(tmp_path):
    crystals = datasets.load("prototypes", "test")[:4]
    path = tmp_path / "samples_1.0.extxyz"
    files.write(crystals, path)
    return path


@pytest.fixture
def written(monkeypatch):
    """The atlases that pages were asked for."""
    import nucleate.explorer.page

    atlases = []
    monkeypatch.setattr(nucleate.explorer.page, "write_page", lambda atlas, path: atlases.append((atlas, path)))
    return atlases


def run(*arguments) -> int:
    return main(["explore", *map(str, arguments), "--jobs", "1"])


def quick(*arguments) -> int:
    return run(*arguments, "--embedding", "fingerprint", "--projection", "pca")


def test_a_page(tmp_path, samples, capsys):
    out = tmp_path / "map.html"
    assert quick(samples, f"mine={samples}", "prototypes:val", "--out", out, "-n", 3, "--title", "Some crystals") == 0
    said = capsys.readouterr().out
    assert "samples_1.0: 3 crystals\nmine: 3 crystals\nprototypes:val: 3 crystals\n" in said
    assert f"wrote {out}" in said
    assert "Some crystals" in out.read_text()


def test_a_reference_is_on_the_map_unless_it_is_there_already(samples, written, tmp_path):
    places = {"prototypes:test": "prototypes:test", "own": f"own={samples}", "prototypes:train": "prototypes"}
    for name, place in places.items():
        assert quick("mine=" + str(samples), "--reference", place, "--out", tmp_path / "a.html", "-n", 5) == 0
        atlas, _ = written.pop()
        on_map = ("mine",) if name == "own" else ("mine", name)
        assert atlas.sources == on_map
        assert len(atlas.nearest) == len(atlas.crystals)
    assert quick(samples, "--reference", "prototypes:test", "--no-reference-points", "--out", tmp_path / "a.html") == 0
    assert written[0][0].sources == ("samples_1.0",)


def test_novelty_is_by_the_training_split(samples, written, tmp_path):
    assert quick(samples, "--reference", "prototypes:val", "--out", tmp_path / "a.html", "-n", 5) == 0
    novel = next(one for one in written[0][0].properties if one.key == "novel")
    assert novel.label == "novel (unlike prototypes:train)"
    assert "prototypes:train" in written[0][0].facts["novelty"]


def test_every_column_of_every_file_is_on_the_page_and_none_can_break_it(tmp_path, capsys):
    crystals = datasets.load("prototypes", "test")[:4]
    hostile = "</script><script>alert(1)</script>"
    described = {"cluster": ["a", "b", "a", ""], "note": [hostile, '<img src=x onerror="alert(1)">', "x" * 300, "y"]}
    files.write(crystals.with_info(**described), tmp_path / "a.parquet")
    files.write(crystals.with_info(band_gap=[0.0, 1.0, 2.0, float("nan")]), tmp_path / "b.parquet")
    out = tmp_path / "map.html"
    assert quick(tmp_path / "a.parquet", tmp_path / "b.parquet", "--out", out) == 0
    said = capsys.readouterr().out
    columns = next(line for line in said.splitlines() if line.startswith("columns of the files: "))
    assert {"band_gap", "cluster", "note"} <= set(columns.partition(": ")[2].split(", "))
    assert "texts cut to 200 characters: note (1)" in said
    page = out.read_text()
    assert hostile not in page
    assert "<img" not in page
    header = json.loads(page.partition('id="header">')[2].partition("</script>")[0])
    found = {one["key"]: one for one in header["properties"]}
    assert (found["cluster"]["kinds"], found["cluster"]["unknown"]) == (["a", "b"], 5)
    assert (found["band_gap"]["type"], found["band_gap"]["unknown"]) == ("number", 5)
    assert hostile in found["note"]["kinds"]


def test_a_server_instead_of_a_page(samples, monkeypatch):
    import nucleate.explorer.serve

    served = []
    monkeypatch.setattr(
        nucleate.explorer.serve, "serve", lambda atlas, port, on_ready: served.append((len(atlas.crystals), port))
    )
    assert quick(samples, "--serve", "--port", 8123) == 0
    assert served == [(4, 8123)]


def test_what_was_embedded_is_kept_in_the_cache_folder(samples, written, tmp_path):
    quick(samples, "--out", tmp_path / "a.html")
    assert list((tmp_path / "cache" / "embeddings").rglob("*.npz"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{samples}"], "--out says where the page goes, or --serve"),
        (["{samples}", "--out", "{samples}"], "exists; use --overwrite"),
        (["{samples}", "--out", "a.html", "-n", "0"], "--per-source 0: at least 1 is needed"),
        (["{samples}", "--out", "a.html", "--embedding", "vae"], "unknown embedding 'vae'"),
        (["{samples}", "--out", "a.html", "--projection", "mds"], "unknown projection 'mds'"),
        (["{samples}", "--out", "a.html", "--embedding", "jmp"], "jmp needs a clone of"),
        (["{samples}", "--out", "a.html", *JMP], "jmp needs weights"),
        (
            ["{samples}", "--out", "a.html", "--embedding", "jmp", "--jmp-code", ".", "--jmp-checkpoint", "no.pt"],
            "no.pt",
        ),
        (["nothing.cif", "--out", "a.html"], "nothing.cif: there is no such file"),
        (["{samples}", "--reference", "nothing", "--out", "a.html"], "nothing"),
        (["{samples}", "{samples}", "--out", "a.html"], "two sources have the same name"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(samples, capsys, monkeypatch, arguments, words):
    for name in ("NUCLEATE_JMP_CODE", "NUCLEATE_JMP_CHECKPOINT"):
        monkeypatch.delenv(name, raising=False)
    assert run(*(word.format(samples=samples) for word in arguments)) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert words in err


def test_samples_without_cells(tmp_path, capsys):
    path = tmp_path / "molecules.xyz"
    path.write_text("2\n\nH 0 0 0\nH 0 0 0.74\n" * 3)
    assert quick(path, "--out", tmp_path / "a.html") == 2
    err = capsys.readouterr().err
    assert "there is no crystal to show: bad_lattice" in err
    assert err.count("\n") == 1


def test_failures_are_counted_on_the_terminal(tmp_path, samples, written, capsys):
    mixed = Crystals.concat([files.read(samples, jobs=1), Crystals.failed(["unparseable"] * 2)])
    files.write(mixed, tmp_path / "mixed.parquet")
    assert quick(tmp_path / "mixed.parquet", "--out", tmp_path / "a.html") == 0
    assert "mixed: 4 crystals; 2 left off: 2 unparseable" in capsys.readouterr().out


def test_names_of_arguments(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "T=300.cif").write_text("")
    assert named("T=300.cif") == (None, "T=300.cif")
    assert named("hot=T=300.cif") == ("hot", "T=300.cif")
    assert named("=x.cif") == (None, "=x.cif")
    stems = {"llama_1.0_0.7.csv.gz": "llama_1.0_0.7", "a.b.extxyz": "a.b", "folder.v2": "folder.v2", "POSCAR": "POSCAR"}
    for name, stem in stems.items():
        assert explore._stem(tmp_path / name) == stem


def test_help_says_what_there_is(capsys):
    assert main(["explore", "--help"]) == 0
    out = capsys.readouterr().out
    assert all(word in out for word in ("chgnet, fingerprint, soap or jmp", "umap, pca or tsne", "NAME=FILE"))
