from __future__ import annotations

import gzip
import socket
import threading
from http.client import HTTPConnection

import numpy as np
import pytest

from nucleate.errors import UserError
from nucleate.explorer.page.payload import GRID, Structures
from nucleate.explorer.serve import make_server


@pytest.fixture(scope="module")
def port(atlas):
    with make_server(atlas, port=0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def ask(port: int, path: str, body: bytes | None = None, host: str = "127.0.0.1") -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET" if body is None else "POST", path, body, {"Host": f"{host}:{port}"})
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


def test_the_page_has_no_structures_in_it(port, atlas, map_file):
    status, body = ask(port, "/")
    page = gzip.decompress(body).decode()
    assert status == 200
    assert '<script type="text/plain" id="data"></script>' in page
    assert "connect-src 'self'" in page
    assert "connect-src" not in map_file.read_text()[:2000]


def test_columns_and_structures_come_as_they_are_asked_for(port, atlas):
    status, body = ask(port, "/columns/source")
    assert (status, list(body)) == (200, atlas.source.tolist())
    rows = np.array([5, 3], dtype="<u4")
    status, body = ask(port, "/crystals", rows.tobytes())
    expected = Structures.of(atlas.crystals[[5, 3]])
    assert status == 200
    assert body == b"".join(part.tobytes() for part in expected.rows(np.arange(2)))
    assert np.frombuffer(body[:8], "<u4").tolist() == atlas.crystals.counts[[5, 3]].tolist()
    assert np.frombuffer(body[-6:], "<u2") / GRID == pytest.approx(atlas.crystals[3].frac[-1].numpy(), abs=1e-5)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/columns/../../etc/passwd", None, 404),
        ("/other", None, 404),
        ("/crystals", np.array([10**6], dtype="<u4").tobytes(), 404),
        ("/crystals", b"abc", 400),
        ("/nothing", b"", 404),
        ("/crystals", b"", 200),
    ],
)
def test_other_wishes_are_refused(port, path, body, status):
    assert ask(port, path, body)[0] == status


def test_pages_from_elsewhere_cannot_ask(port):
    assert ask(port, "/", host="evil.example")[0] == 403
    assert ask(port, "/", host="localhost")[0] == 200


def test_a_taken_port_is_one_line(atlas):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UserError, match="cannot listen at port"):
            make_server(atlas, port=taken.getsockname()[1])
    with pytest.raises(UserError, match="cannot listen at port 99999"):
        make_server(atlas, port=99_999)


def test_a_served_map_shows_and_saves_the_right_crystals(port, atlas, visits, on_screen, tmp_path):
    visit = visits(f"http://127.0.0.1:{port}/")
    visit.page.mouse.click(*on_screen[8])
    visit.wait("nucleate.details.row === 8")
    assert f"{int(atlas.crystals.counts[8])} atoms" in visit.page.locator(".details .sub").inner_text()
    with visit.page.expect_download() as download:
        visit.page.locator(".save-extxyz").click()
    download.value.save_as(tmp_path / "all.extxyz")
    read = pytest.importorskip("ase.io").read(tmp_path / "all.extxyz", index=":")
    assert [len(atoms) for atoms in read] == atlas.crystals.counts.tolist()
    assert all(url.startswith((f"http://127.0.0.1:{port}/", "about:", "data:", "blob:")) for url in visit.requests)
