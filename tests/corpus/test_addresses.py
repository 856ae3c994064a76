"""Corpora at addresses: downloads and their copies on disk, checksums, gzip, patterns, refusals."""

from __future__ import annotations

import base64
import glob
import gzip
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attnray.config import CorpusConfig
from attnray.corpus.files import addresses, patterns
from attnray.corpus.readers import files, fingerprint, guess_format, read
from attnray.errors import InputError
from attnray.stages.planned import _absolute_corpus
from tests.builders.server import Server, serving

TREE = b"1\tShe\t_\tPRON\tPRP\t_\t2\tnsubj\t_\t_\n2\tslept\t_\tVERB\tVBD\t_\t0\troot\t_\t_\n\n"
OTHER = TREE.replace(b"slept", b"dreamt")
SHA = hashlib.sha256(TREE).hexdigest()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("ATTNRAY_CACHE", str(folder))
    another_process()
    return folder


def another_process() -> None:
    """Forget what this process has resolved, as a new one has not yet."""
    addresses.local.cache_clear()
    addresses._remote.cache_clear()


def corpus(path: object, **checksums: str) -> CorpusConfig:
    given = {name.replace("_", "."): value for name, value in checksums.items()}
    return CorpusConfig("x", "conllu", path, checksums=given)


def words(given: CorpusConfig) -> list[str]:
    return [word for document in read(given) for s in document.sentences for word in s.words]


def test_a_file_is_downloaded_once_for_each_version(server: Server, cache: Path) -> None:
    server.files["/a/x.conllu"] = TREE
    remote = corpus(f"{server.root}/a/x.conllu")
    assert words(remote) == ["She", "slept"]
    assert fingerprint(remote) == fingerprint(corpus(files(remote)))
    assert (len(server.asked), server.downloads) == (2, 1), "one process asks once"
    another_process()
    assert words(remote) == ["She", "slept"]
    assert server.downloads == 1
    server.files["/a/x.conllu"] = OTHER
    another_process()
    assert words(remote) == ["She", "dreamt"]
    assert server.downloads == 2
    assert Path(files(remote)[0]).is_relative_to(cache)
    assert not list(cache.rglob("*.part"))


def test_where_the_server_tells_no_version_the_file_is_downloaded_anew(server: Server) -> None:
    server.etags = False
    server.files["/x.conllu"] = TREE
    remote = corpus(f"{server.root}/x.conllu")
    assert words(remote) == ["She", "slept"]
    server.files["/x.conllu"] = OTHER
    another_process()
    assert words(remote) == ["She", "dreamt"]


def test_a_remote_document_is_named_as_a_local_one(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a b.conllu").write_bytes(TREE)
    server.files["/a b.conllu"] = TREE
    server.files["/get?file=7"] = TREE
    (here,) = read(corpus(str(tmp_path / "a b.conllu")))
    (there,) = read(corpus(f"{server.root}/a%20b.conllu"))
    assert here == there
    (queried,) = read(corpus(f"{server.root}/get?file=7"))
    assert (queried.id, queried.sentences) == ("get-1", here.sentences)


def test_a_compressed_copy_is_the_same_corpus(server: Server, tmp_path: Path) -> None:
    plain, packed, unnamed = (tmp_path / name for name in ("x.conllu", "x.conllu.gz", "y"))
    plain.write_bytes(TREE)
    packed.write_bytes(gzip.compress(TREE))
    unnamed.write_bytes(gzip.compress(TREE))
    server.files["/x.conllu.gz"] = packed.read_bytes()
    wanted = list(read(corpus(str(plain))))
    for given_ in (str(packed), f"{server.root}/x.conllu.gz"):
        assert list(read(corpus(given_, x_conllu=SHA))) == wanted
        assert fingerprint(corpus(given_)) == fingerprint(corpus(str(plain)))
    assert words(corpus(str(unnamed))) == ["She", "slept"]


def test_errors_in_a_compressed_file_name_the_line_of_the_text(tmp_path: Path) -> None:
    packed = tmp_path / "x.conllu.gz"
    packed.write_bytes(gzip.compress(TREE + TREE.replace(b"\t0\t", b"\tzero\t")))
    with pytest.raises(InputError, match=re.escape(f"{packed}:5: HEAD is 'zero'")):
        words(corpus(str(packed)))
    whole = gzip.compress(os.urandom(5000))
    for damaged in (whole[:-100], whole[:40] + b"\0" * 40 + whole[80:], whole[:2] + b"garbage"):
        packed.write_bytes(damaged)
        with pytest.raises(InputError, match="damaged gzip"):
            fingerprint(corpus(str(packed)))


def test_a_copy_with_the_checksum_needs_no_network(server: Server) -> None:
    server.files["/x.conllu"] = TREE
    pinned = corpus(f"{server.root}/x.conllu", x_conllu=SHA)
    words(pinned)
    server.asked.clear()
    another_process()
    assert words(pinned) == ["She", "slept"]
    assert server.asked == []


def test_a_damaged_copy_with_a_checksum_is_downloaded_again(server: Server) -> None:
    server.files["/x.conllu"] = TREE
    pinned = corpus(f"{server.root}/x.conllu", x_conllu=SHA)
    Path(files(pinned)[0]).write_bytes(TREE[:20])
    another_process()
    assert words(pinned) == ["She", "slept"]


def test_another_file_than_the_pinned_one_is_refused(server: Server, tmp_path: Path) -> None:
    server.files["/x.conllu"] = OTHER
    local = tmp_path / "x.conllu"
    local.write_bytes(OTHER)
    for path in (f"{server.root}/x.conllu", str(local)):
        with pytest.raises(InputError) as error:
            fingerprint(corpus(path, x_conllu=SHA))
        for part in (path, SHA, hashlib.sha256(OTHER).hexdigest(), "corpus.checksums=null"):
            assert part in str(error.value)
        assert words(CorpusConfig("x", "conllu", path, checksums=None)) == ["She", "dreamt"]
    (tmp_path / "mine.conllu").write_bytes(OTHER)
    assert words(corpus(str(tmp_path / "mine.conllu"), x_conllu=SHA)) == ["She", "dreamt"]


def test_a_download_that_breaks_off_leaves_nothing(server: Server, cache: Path) -> None:
    server.files["/x.conllu"] = TREE
    server.cut = 30
    remote = corpus(f"{server.root}/x.conllu")
    with pytest.raises(InputError, match=r"x\.conllu: cannot be had"):
        words(remote)
    assert [each for each in cache.rglob("*") if each.is_file()] == []
    server.cut = None
    assert words(remote) == ["She", "slept"]


def test_a_process_killed_in_a_download_harms_nobody(server: Server, cache: Path) -> None:
    server.files["/x.conllu"] = TREE
    server.cut = 30
    server.waits.clear()
    address = f"{server.root}/x.conllu"
    code = f"from attnray.corpus.files.addresses import local; local({address!r}, None)"
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    while process.poll() is None and not list(cache.rglob("*.part")):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert list(cache.rglob("*.part"))
    assert not list(cache.rglob("*.conllu"))
    server.cut = None
    server.waits.set()
    assert words(corpus(address)) == ["She", "slept"]


def test_what_cannot_be_had_is_said_in_one_line(server: Server) -> None:
    missing = f"{server.root}/none.conllu"
    server.files["/secret.conllu"] = TREE
    with pytest.raises(InputError, match=r"^[^\n]+none\.conllu: not found;[^\n]+corpus\.path=$"):
        files(corpus(missing))
    server.refused = {"HEAD", "GET"}
    with pytest.raises(InputError, match=r"^[^\n]+secret\.conllu: no permission[^\n]+$"):
        files(corpus(f"{server.root}/secret.conllu"))
    with pytest.raises(InputError, match=r"^http://127\.0\.0\.1:1/x: cannot be had[^\n]+network"):
        files(corpus("http://127.0.0.1:1/x"))


def test_an_address_signed_for_downloads_alone(server: Server) -> None:
    server.files["/x.conllu?signature=7"] = TREE
    server.refused = {"HEAD"}
    assert words(corpus(f"{server.root}/x.conllu?signature=7")) == ["She", "slept"]


def test_a_password_is_sent(server: Server) -> None:
    server.files["/x.conllu"] = TREE
    address = server.root.replace("//", "//me:a%40b%2F@")
    assert words(corpus(f"{address}/x.conllu")) == ["She", "slept"]
    assert server.authorized == {f"Basic {base64.b64encode(b'me:a@b/').decode()}"}


def test_a_password_is_for_its_server_alone(server: Server) -> None:
    with serving() as other:
        other.files["/x.conllu"] = TREE
        server.moved["/x.conllu"] = f"{other.root}/x.conllu"
        assert words(corpus(f"{server.root.replace('//', '//me:word@')}/x.conllu"))
    assert None not in server.authorized
    assert other.authorized == {None}


@pytest.mark.parametrize("path", ["/..", "/%2e%2e", "/a%00b", "/" + 300 * "x"])
def test_a_copy_stays_in_its_folder_whatever_it_is_called(
    server: Server, cache: Path, path: str
) -> None:
    server.files[unquote(path)] = TREE
    with suppress(InputError):
        files(corpus(server.root + path))
    kept = {each.parent.parent.parent for each in cache.parent.rglob("*") if each.is_file()}
    assert kept <= {cache}


def test_while_the_server_is_away_its_last_copy_serves(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving() as server:
        server.files["/x.conllu"] = TREE
        address = f"{server.root}/x.conllu"
        (copy,) = files(corpus(address))
    another_process()
    capsys.readouterr()
    assert files(corpus(address)) == [copy]
    assert f"taking the copy {copy}" in capsys.readouterr().err
    another_process()
    with pytest.raises(InputError, match="cannot be had"):
        files(corpus(address, x_conllu="0" * 64))


def test_a_cache_that_cannot_be_written(server: Server, cache: Path) -> None:
    server.files["/x.conllu"] = TREE
    cache.write_text("a file")
    with pytest.raises(InputError, match="ATTNRAY_CACHE"):
        files(corpus(f"{server.root}/x.conllu"))


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("https://example.org/*.conllu", "cannot be listed"),
        ("ftp://example.org/x", "ftp:// is not possible; give a local path or http://"),
        ("hf://OWNER/NAME/x.parquet", "hf://datasets/OWNER/NAME/FILE"),
        ("pkg://no_such_package/x.conllu", "no such package"),
        ("pkg://this.other/x.conllu", "no such package"),
        ("pkg://os/../x.conllu", "no such package"),
        ("pkg://attnray/../x.conllu", "leads out of the package"),
        ("pkg://attnray/corpus/../../x.conllu", "leads out of the package"),
        ("pkg://attnray//etc/passwd", "leads out of the package"),
    ],
)
def test_addresses_that_are_none(path: str, what: str) -> None:
    with pytest.raises(InputError) as error:
        files(corpus(path))
    assert what in str(error.value)
    assert "this" not in sys.modules  # no package is started


def test_addresses_stay_and_paths_become_absolute() -> None:
    given_ = ["https://example.org/x", "s3://a/b", "hf://datasets/a/b/c", "pkg://attnray/x", "x"]
    assert _absolute_corpus(corpus(given_)).path == [*given_[:-1], str(Path("x").absolute())]


def test_an_object_store(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL": server.root,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }.items():
        monkeypatch.setenv(name, value)
    server.files = {
        "/bucket/ud/b/y.conllu.gz": gzip.compress(OTHER),
        "/bucket/ud/a/x.conllu": TREE,
        "/bucket/ud/a/x.txt": b"no",
        "/bucket/other/x.conllu": b"no",
    }
    assert words(corpus("s3://bucket/ud/**/*.conllu*")) == ["She", "slept", "She", "dreamt"]
    assert words(corpus("s3://bucket/ud/a/x.conllu")) == ["She", "slept"]
    with pytest.raises(InputError, match="no file matches"):
        files(corpus("s3://bucket/ud/*.conllu"))
    with pytest.raises(InputError, match="not found"):
        files(corpus("s3://bucket/none"))
    server.refused = {"HEAD", "GET"}
    another_process()
    with pytest.raises(InputError, match="AWS_SKIP_SIGNATURE"):
        files(corpus("s3://bucket/ud/a/x.conllu"))


@pytest.fixture
def hub(server: Server, tmp_path: Path) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Finds the files of a corpus in a process whose hub is the server: it reads that once."""
    environment = {k: v for k, v in os.environ.items() if k != "HF_HUB_OFFLINE"}
    environment |= {"HF_ENDPOINT": server.root, "HF_HOME": str(tmp_path / "hub")}
    code = (
        "import sys; from attnray.config import CorpusConfig; "
        "from attnray.corpus.readers import files; from attnray.errors import InputError\n"
        "sums = dict([sys.argv[2:]]) if sys.argv[2:] else {}\n"
        "try: print(*files(CorpusConfig('x', 'text', sys.argv[1], sums)), sep='\\n')\n"
        "except InputError as error: sys.exit(str(error))"
    )

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", code, *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    return run


@pytest.mark.slow
def test_a_dataset_of_the_hub(
    server: Server, hub: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    names = ["data/b.txt", "data/a.txt", "data/deep/c.txt", "README.md"]
    tree = [{"type": "file", "path": name, "size": 1, "oid": "0"} for name in names]
    server.files["/api/datasets/owner/name/tree/main"] = json.dumps(tree).encode()
    for revision in ("main", "refs/convert/parquet"):
        for name in names:
            body = f"{revision} {name}".encode()
            server.files[f"/datasets/owner/name/resolve/{revision}/{name}"] = body
    done = hub("hf://datasets/owner/name/data/*.txt")
    assert [Path(p).read_text() for p in done.stdout.split()] == [
        "main data/a.txt",
        "main data/b.txt",
    ], done.stderr
    done = hub("hf://datasets/owner/name@refs/convert/parquet/data/a.txt")
    assert Path(done.stdout.strip()).read_text() == "refs/convert/parquet data/a.txt", done.stderr
    downloads = server.downloads
    assert hub("hf://datasets/owner/name/data/a.txt").returncode == 0
    assert server.downloads == downloads
    asked = len(server.asked)
    sha = hashlib.sha256(b"main data/a.txt").hexdigest()
    assert hub("hf://datasets/owner/name/data/a.txt", "a.txt", sha).returncode == 0
    assert len(server.asked) == asked
    missing = hub("hf://datasets/owner/name/none.txt").stderr.strip()
    assert re.fullmatch(
        r"hf://datasets/owner/name/none\.txt: cannot be had .+corpus\.path=", missing
    )


PARTS = st.text("ab*?.", min_size=1, max_size=3).filter(lambda part: part not in (".", ".."))


@settings(max_examples=300)
@given(
    paths=st.lists(st.lists(st.text("ab.", min_size=1, max_size=2), min_size=1, max_size=3)),
    pattern=st.lists(st.one_of(st.just("**"), PARTS), min_size=1, max_size=4),
)
def test_patterns_match_as_in_folders(
    tmp_path_factory: pytest.TempPathFactory, paths: list[list[str]], pattern: list[str]
) -> None:
    root = tmp_path_factory.mktemp("tree")
    made = set()
    for parts in paths:
        file = root.joinpath(*parts[:-1], parts[-1] + "f")
        if not any(part.strip(".") == "" for part in parts):
            file.parent.mkdir(parents=True, exist_ok=True)
            if not file.exists():
                file.touch()
            if file.is_file():
                made.add(file.relative_to(root).as_posix())
    text = "/".join(pattern)
    found = {
        each.rstrip("/")
        for each in glob.glob(text, root_dir=root, recursive=True)
        if (root / each).is_file()
    }
    assert set(patterns.matching(text, made)) == found
    fixed = patterns.fixed(text)
    assert all(f"{each}/".startswith(f"{fixed}/" if fixed else "") for each in found)


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("a/en_ewt-ud-dev.conllu", "conllu"),
        ("x.conllx.gz", "conllu"),
        ("https://example.org/a.conll?raw=true", "conllu"),
        ("data/**/*_gold_conll", "conll2012"),
        ("gap-test.tsv", "gap"),
        ("story.txt.gz", "text"),
        ("s3://b/dev.json", "json"),
        ("dev.jsonl.gz", "json"),
        ("hf://datasets/a/b/*.parquet", "parquet"),
        ("notes.md", None),
        ("conllu", None),
    ],
)
def test_the_format_of_a_file_by_its_name(path: str, form: str | None) -> None:
    assert guess_format(path) == form
