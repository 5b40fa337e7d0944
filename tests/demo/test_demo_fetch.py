"""Fetching over real HTTP and with the real apt, from servers and repositories made here; killed downloads."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest

from segue.demo import fashion, fetch, sources
from segue.demo.files import STAGING
from segue.demo.pictures import UnavailableError
from segue.errors import InputError

FETCH_IN_A_PROCESS = """
import json, sys
from functools import partial
from pathlib import Path
from segue.demo import fashion, fetch, sources
from segue.demo.progress import Progress
fashion.CONTENTS = json.loads(sys.argv[1])
way = partial(fetch.from_authors, address=sys.argv[2])
sources.fetch_into(Path(sys.argv[3]), way, "a server", Progress())
"""


class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        server.asked.append(self.path)
        if server.stop_in_the_middle_of is None or server.stop_in_the_middle_of not in self.path:
            super().do_GET()
            return
        content = Path(self.translate_path(self.path)).read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2])
        self.wfile.flush()
        server.half_sent.set()
        server.go_on.wait(60)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(small):
    serving = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(small)))
    serving.asked, serving.stop_in_the_middle_of = [], None  # read by the handler
    serving.half_sent, serving.go_on = threading.Event(), threading.Event()
    thread = threading.Thread(target=serving.serve_forever)
    thread.start()
    serving.address = f"http://127.0.0.1:{serving.server_address[1]}"
    yield serving
    serving.go_on.set()
    serving.shutdown()
    thread.join()
    serving.server_close()


@pytest.fixture
def way(server):
    return partial(fetch.from_authors, address=server.address)


def names(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


WHOLE = sorted(f"{name}.gz" for name in fashion.CONTENTS)


def test_fetches_once_and_then_reads_the_cache(server, way, tmp_path, progress, said):
    cache = tmp_path / "cache"
    first = sources.find(None, progress, cache, {"a server": way})
    assert (first.pictures.origin, first.obstacles) == ("a server", ())
    assert names(cache) == WHOLE
    assert len(server.asked) == 4
    again = sources.find(None, progress, cache, {"a server": way})
    assert again.pictures.origin == f"cached in {cache}"
    assert len(server.asked) == 4
    assert (again.pictures.train.images == first.pictures.train.images).all()


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_damaged_cache_is_fetched_anew(server, way, tmp_path, progress, share):
    cache = tmp_path / "cache"
    sources.find(None, progress, cache, {"a server": way})
    broken = cache / "train-images-idx3-ubyte.gz"
    broken.write_bytes(broken.read_bytes()[: int(share * broken.stat().st_size)])
    assert sources.find(None, progress, cache, {"a server": way}).pictures.name == "Fashion-MNIST"
    assert len(fashion.read_folder(cache, "").train) == 600


def test_wrong_bytes_from_the_network_are_not_kept(server, way, small, tmp_path, progress):
    (small / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(b"something else"))
    cache = tmp_path / "cache"
    found = sources.find(None, progress, cache, {"a server": way})
    assert found.pictures.name == "digits"
    assert "t10k-labels-idx1-ubyte.gz is damaged or another data set" in found.obstacles[0]
    assert names(cache) == []


def test_a_download_that_breaks_off_is_seen(server, way, tmp_path, progress):
    server.stop_in_the_middle_of = "train-images"
    server.go_on.set()
    with pytest.raises(UnavailableError, match=r"train-images-idx3-ubyte\.gz"):
        sources.fetch_into(tmp_path / "cache", way, "a server", progress)
    assert names(tmp_path / "cache") == []


def test_a_file_that_is_not_there_is_named(server, way, small, tmp_path, progress):
    (small / "train-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(UnavailableError, match=r"train-labels-idx1-ubyte\.gz can't be downloaded \(.*404"):
        sources.fetch_into(tmp_path / "cache", way, "a server", progress)


def test_no_server_leads_to_digits_and_says_so(small, tmp_path, progress):
    way = partial(fetch.from_authors, address="http://127.0.0.1:1")
    found = sources.find(None, progress, tmp_path / "cache", {"nobody": way})
    assert found.pictures.name == "digits"
    assert len(found.obstacles) == 1
    assert "can't be downloaded" in found.obstacles[0]


def test_a_killed_download_leaves_a_state_from_which_the_next_run_works(
    server, way, small_contents, tmp_path, progress
):
    server.stop_in_the_middle_of = "train-images"
    cache = tmp_path / "cache"
    victim = subprocess.Popen(
        [sys.executable, "-c", FETCH_IN_A_PROCESS, json.dumps(fashion.CONTENTS), server.address, str(cache)],
        stderr=subprocess.DEVNULL,
    )
    assert server.half_sent.wait(60)
    os.kill(victim.pid, signal.SIGKILL)
    assert victim.wait() == -signal.SIGKILL
    left = names(cache)
    assert left
    assert all(name.startswith(STAGING) for name in left)  # nothing unfinished under a final name

    server.stop_in_the_middle_of = None
    found = sources.find(None, progress, cache, {"a server": way})
    assert found.pictures.name == "Fashion-MNIST"
    assert names(cache) == WHOLE


def test_two_processes_at_once_fetch_once(server, small_contents, tmp_path):
    command = [
        *(sys.executable, "-c", FETCH_IN_A_PROCESS, json.dumps(fashion.CONTENTS)),
        *(server.address, str(tmp_path / "cache")),
    ]
    both = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert len(server.asked) == 4


@pytest.fixture
def repository(small, tmp_path, monkeypatch):
    """A real apt repository on disk that holds the package, and no package lists yet."""
    tree = tmp_path / "tree"
    folder = tree / fetch.PACKAGE_FOLDER
    folder.parent.mkdir(parents=True)
    shutil.copytree(small, folder)
    (tree / "DEBIAN").mkdir()
    control = f"Package: {fetch.PACKAGE}\nVersion: 1\nArchitecture: all\nMaintainer: nobody <n@example.org>\n"
    (tree / "DEBIAN" / "control").write_text(control + "Description: eight garments\n")
    repository = tmp_path / "repository"
    repository.mkdir()
    package = repository / f"{fetch.PACKAGE}_1_all.deb"
    subprocess.run(["dpkg-deb", "--build", "--root-owner-group", tree, package], check=True, stdout=subprocess.DEVNULL)
    sha256 = hashlib.sha256(package.read_bytes()).hexdigest()
    entry = f"{control}Filename: ./{package.name}\nSize: {package.stat().st_size}\nSHA256: {sha256}\n"
    (repository / "Packages").write_text(entry + "Description: eight garments\n")
    (tmp_path / "sources.list").write_text(f"deb [trusted=yes] file:{repository} ./\n")
    (tmp_path / "state" / "lists" / "partial").mkdir(parents=True)
    (tmp_path / "apt.conf").write_text(
        f'Dir::Etc::SourceList "{tmp_path / "sources.list"}";\nDir::Etc::SourceParts "/dev/null";\n'
        f'Dir::State::Lists "{tmp_path / "state" / "lists"}";\n'
    )
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    return repository


APT = {"Debian": fetch.from_debian}
HAS_APT = all(map(shutil.which, ("apt-get", "dpkg-deb")))

# There is no other way: outside Debian's family there is no apt to try, and what happens then is tested below.
needs_apt = pytest.mark.skipif(not HAS_APT, reason="apt-get exists on Debian and its derivatives only")


@needs_apt
def test_debians_package_is_fetched_without_root_or_package_lists(repository, tmp_path, progress):
    cache = tmp_path / "cache"
    found = sources.find(None, progress, cache, APT)
    assert found.obstacles == ()
    assert found.pictures.origin == "Debian"
    assert names(cache) == WHOLE


@needs_apt
def test_a_package_that_was_tampered_with_is_refused_by_apt(repository, tmp_path, progress):
    package = next(repository.glob("*.deb"))
    package.write_bytes(package.read_bytes()[:-1] + b"x")
    found = sources.find(None, progress, tmp_path / "cache", APT)
    assert found.pictures.name == "digits"
    assert "apt-get failed" in found.obstacles[0]
    assert names(tmp_path / "cache") == []


@needs_apt
def test_a_repository_without_the_package_is_told_in_apts_words(repository, tmp_path, progress):
    (repository / "Packages").write_text("")
    found = sources.find(None, progress, tmp_path / "cache", APT)
    assert f"apt-get failed (Unable to locate package {fetch.PACKAGE})" in found.obstacles[0]


def test_a_machine_without_apt_is_told_so(small, tmp_path, monkeypatch, progress):
    monkeypatch.setenv("PATH", str(tmp_path))
    found = sources.find(None, progress, tmp_path / "cache", APT)
    assert found.obstacles == ("this machine has no apt-get",)
    assert found.pictures.name == "digits"


def test_a_cache_that_can_not_be_written_is_told(small, tmp_path, progress):
    (tmp_path / "file").write_text("")
    found = sources.find(None, progress, tmp_path / "file" / "cache", {"nobody": fetch.from_authors})
    assert "can't be written" in found.obstacles[0]


def test_a_named_folder_is_used_and_nothing_is_fetched(small, tmp_path, progress):
    found = sources.find(small, progress, tmp_path / "cache", {})
    assert found.pictures.origin == str(small)
    assert not (tmp_path / "cache").exists()


def test_a_named_folder_that_can_not_be_used_is_an_error_not_a_fallback(small, tmp_path, progress):
    (small / "t10k-images-idx3-ubyte.gz").unlink()
    with pytest.raises(InputError, match=r"--data .*small.* has no t10k-images-idx3-ubyte\.gz; it must hold train-"):
        sources.find(small, progress, tmp_path / "cache", {})


@pytest.mark.parametrize("place", ["data/FashionMNIST/raw", "home/.keras/datasets/fashion-mnist"])
def test_other_libraries_folders_are_found(small, tmp_path, progress, place):
    shutil.copytree(small, tmp_path / place)
    assert sources.find(None, progress, tmp_path / "cache", {}).pictures.name == "Fashion-MNIST"


def test_a_damaged_folder_of_another_library_is_an_obstacle(small, tmp_path, progress):
    shutil.copytree(small, tmp_path / "data/FashionMNIST/raw")
    (tmp_path / "data/FashionMNIST/raw/t10k-labels-idx1-ubyte.gz").write_bytes(b"")
    found = sources.find(None, progress, tmp_path / "cache", {})
    assert found.pictures.name == "digits"
    assert "t10k-labels-idx1-ubyte.gz" in found.obstacles[0]
