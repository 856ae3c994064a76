"""The server: what it answers, to whom, and how it starts and ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

import attnray
from attnray.cli.explore import explore
from attnray.errors import IncompleteRun, InputError
from attnray.explore.asked import Asked
from attnray.explore.found import ROWS
from attnray.explore.opened import OpenedRun
from attnray.explore.page import page
from attnray.store.folder import EXTRACT
from tests.builders.explored import ask, opened, serving
from tests.builders.jobs import command, environment, refusal, wait_while_running
from tests.builders.trial import wait_until

#: Names that others have for this machine, or for themselves.
ELSEWHERE = (
    "example.org",
    "127.0.0.1.example.org",
    "localhost.example.org",
    "10.0.0.1",
    "[::1]",
)


@pytest.fixture(scope="module")
def port(undisturbed: Path) -> Iterator[int]:
    with serving(undisturbed) as found:
        yield found


def test_a_page_has_the_cases_with_their_sentences(port: int, undisturbed: Path) -> None:
    query = "?group=obj&a=2-1&a_direction=head_to_dependent&a_right=yes"
    answer = ask(port, f"/{query}")
    assert answer.status == 200
    run = attnray.open(str(undisturbed))
    cases = run.cases("syntax", 2, 1, "head_to_dependent", right=True)
    chosen = [each for each in cases.to_pylist() if each["relation"].split(":")[0] == "obj"]
    assert f">{len(chosen)} of {len(run.cases('syntax')):,} cases</h2>" in answer.text
    items = re.findall(r"<li><a id=[^>]*>(.*?)</a>", answer.text, re.S)
    words = [" ".join(unescape(re.sub("<[^>]*>", "", each)).split()) for each in items]
    assert words == [each["sentence"] for each in chosen][:ROWS]
    assert "A 2-1 right" in answer.text
    assert "A 2-1 wrong" not in answer.text.partition("<ol")[2]
    last = ask(port, f"/{query}&page=99").text
    assert f'start="{(len(chosen) - 1) // ROWS * ROWS + 1}"' in last


def test_only_the_part_that_changes_is_sent_to_the_page(port: int) -> None:
    whole, part = ask(port, "/?word=she"), ask(port, "/?word=she", **{"X-Part": "1"})
    assert part.text.startswith('<div id="part"')
    assert part.text.strip() in whole.text
    assert '<script type="module">' not in part.text
    summary = ask(port, "/summary?word=she", **{"X-Part": "1"})
    assert summary.text.startswith("<main")
    assert "Every head" in summary.text


def test_a_page_may_run_its_script_alone_and_is_kept_by_nobody(port: int) -> None:
    headers = ask(port, "/").headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["connect-src"] == policy["form-action"] == "'self'"
    assert re.fullmatch(r"'sha256-[\w+/=]+'", policy["script-src"])
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize("host", [*ELSEWHERE, "a b", "", "localhost:x"])
def test_whoever_calls_this_machine_by_another_name_is_refused(port: int, host: str) -> None:
    answer = ask(port, "/", Host=host)
    assert (answer.status, answer.text) == (403, "attnray explore answers to localhost alone\n")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:9", "127.0.0.1"])
def test_a_tunnel_may_have_another_port(port: int, host: str) -> None:
    assert ask(port, "/", Host=host).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/manifest.json",
        "/report.html",
        "/figures/syntax.svg",
        "/../manifest.json",
        "/..%2f..%2fetc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "//etc/passwd",
        "/summary/..",
        "/summary/../manifest.json",
        "/static/x",
    ],
)
def test_no_file_is_served(port: int, path: str) -> None:
    answer = ask(port, path)
    assert answer.status == 404
    assert len(answer.text.splitlines()) == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_nothing_can_be_changed(port: int, method: str) -> None:
    assert ask(port, "/", method).status == 405


@pytest.mark.parametrize(
    "query",
    [
        "?group=%3Cscript%3E",
        "?case=../../manifest.json",
        "?case=0.99999999999999999999",
        "?of=../syntax",
        "?a=99999-1",
        "?page=-1",
        "?page=%00",
        "?unknown=1",
        "?word=" + "x" * 600,
        "?a=2-1&a=9-9",
    ],
)
def test_a_bad_question_is_answered_by_one_line(port: int, query: str) -> None:
    for path in ("/", "/summary"):
        answer = ask(port, path + query)
        if "case" not in query or path == "/":  # a summary opens none
            assert answer.status == 400, answer.text
            assert len(answer.text.splitlines()) == 1
            assert answer.headers["Content-Type"].startswith("text/plain")


def test_what_is_asked_is_text_on_the_page(port: int) -> None:
    text = ask(port, "/?word=%3Cscript%3Ealert(1)%3C/script%3E%22").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&#34;" in text
    assert "<script>alert" not in text


def test_nothing_found_is_said(port: int) -> None:
    text = ask(port, "/?word=nosuchword").text
    assert "Nothing is found" in text
    assert ask(port, "/summary?word=nosuchword").status == 200


def test_the_word_that_is_asked_for_is_marked_in_examples(port: int) -> None:
    text = ask(port, "/?of=documents&word=she").text
    assert "<mark>She</mark>" in text or "<mark>she</mark>" in text


def test_two_runs_are_shown_beside_each_other(undisturbed: Path, few_kept: Path) -> None:
    with serving(undisturbed, few_kept) as port:
        text = ask(port, "/").text
        assert " are not in the other run" in text
        first = re.findall(r'<li><a [^>]*href="\?([^"]*)"', text)[0]
        assert ask(port, f"/?{unescape(first)}").text.count('id="sentence-') == 1
        far = ask(port, "/?b_run=other&page=99").text
        last = re.findall(r'<li><a [^>]*href="\?([^"]*)"', far)[-1]
        said = ask(port, f"/?{unescape(last)}").text
        assert "run has no case of this document and these words" in said
        assert "run has no coreference." in ask(port, "/?of=coreference&b_run=other").text


def test_a_run_without_cases_shows_its_examples(no_cases: Path) -> None:
    with serving(no_cases) as port:
        text = ask(port, "/").text
        assert "keeps no cases" in text
        assert "cases=False" in text
        assert re.search(r">(\d+) of \1 examples</h2>", text)
        case = ask(port, "/?a=2-2&case=0.0").text
        assert 'id="sentence-1"' in case
        assert ask(port, "/summary").status == 200


def test_attention_that_was_not_kept_is_said_to_be_so(few_kept: Path) -> None:
    run = opened(few_kept)
    cases = run.subjects.by_name["syntax"].cases
    kept = run.stored(cases)
    assert kept is not None
    with serving(few_kept) as port:
        with_it, without = cases.name(int(kept.argmax())), cases.name(int(kept.argmin()))
        assert 'id="sentence-1"' in ask(port, f"/?case={with_it}").text
        text = ask(port, f"/?case={without}").text
        assert 'id="sentence-1"' not in text
        assert "was not kept (the run keeps that of 3): run it with store=log16" in text
        groups = {name: cases.of_group(name) for name in cases.groups}
        unkept = next(name for name, own in groups.items() if own.any() and not kept[own].any())
        together = ask(port, f"/summary?group={unkept}")
        assert together.status == 200
        assert "from 0 words" in together.text or "to 0 words" in together.text


def test_a_run_at_work_is_shown_as_far_as_it_is(copied: Path) -> None:
    marker = copied / "done" / "analyse-syntax" / "00001.json"
    kept = marker.read_bytes()
    marker.unlink()
    (copied / "done" / EXTRACT / "00000.json").unlink()
    with serving(copied) as port:
        wait_until(lambda: "More is being read." not in ask(port, "/").text)
        text = ask(port, "/?case=0.0").text
        assert re.search(r"Without 1 of \d+ shards: they have not been measured yet\.", text)
        assert "the attention of this example has not been extracted yet" in text
        marker.write_bytes(kept)
        assert ask(port, "/?case=0.0").status == 200
        wait_until(lambda: "have not been measured yet" not in ask(port, "/").text)


def test_what_is_not_read_yet_is_said(undisturbed: Path) -> None:
    run = OpenedRun(str(undisturbed))
    assert "More is being read." in page([run], Asked())
    run.subjects.read_on()
    assert run.subjects.wait(120)
    assert "More is being read." not in page([run], Asked())


def test_damage_is_named_and_the_rest_is_shown(copied: Path) -> None:
    (copied / "cases" / "syntax" / "00001.parquet").write_bytes(b"no")
    with serving(copied) as port:
        text = ask(port, "/").text
        assert re.search(r"Without 1 of \d+ shards: \S+cases/syntax/00001.parquet: damaged", text)


# The command


def test_it_opens_a_browser_and_ctrl_c_ends_it_with_one_line(
    undisturbed: Path, tmp_path: Path
) -> None:
    browser, seen = tmp_path / "browser", tmp_path / "seen"
    browser.write_text(f'#!/bin/sh\necho "$1" > {seen}.part\nmv {seen}.part {seen}\n')
    browser.chmod(0o755)
    with subprocess.Popen(
        command("explore", str(undisturbed)),
        env=environment() | {"BROWSER": f"{browser} %s"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout
        line = process.stdout.readline().decode()
        found = re.fullmatch(r"(http://127\.0\.0\.1:(\d+)/) \(Ctrl-C ends it\)\n", line)
        assert found
        wait_while_running(process, seen.exists)
        assert seen.read_text() == f"{found[1]}\n"
        assert ask(int(found[2]), "/").status == 200
        assert ask(int(found[2]), "/?word=" + "x" * 20_000).status == 400
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate()
    assert process.returncode == 130
    assert stderr.startswith(b"attnray: interrupted")
    assert len(stderr.splitlines()) == 1


def test_a_port_that_is_taken_is_refused(undisturbed: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        said = refusal("explore", str(undisturbed), "--port", port, "--no-browser")
    assert f"--port {port}: Address already in use" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "the following arguments are required: run_dir: attnray explore RUN_DIR"),
        (["{run}", "--port", "x"], "invalid int value: 'x'"),
        (["{run}", "--port", "99999"], "--port 99999 is not possible"),
        (["{run}", "--colour"], "unrecognized arguments: --colour"),
        (["{run}", "{run}", "{run}"], "unrecognized arguments"),
        (["{empty}"], "has no manifest.json: it is not a run folder"),
        (["{run}", "{empty}"], "has no manifest.json: it is not a run folder"),
    ],
)
def test_what_cannot_be_explored(
    undisturbed: Path, tmp_path: Path, arguments: list[str], said: str
) -> None:
    given = [each.format(run=undisturbed, empty=tmp_path) for each in arguments]
    with pytest.raises(InputError, match=re.escape(said)):
        explore(given)


def test_a_run_whose_plan_grows_is_incomplete(tmp_path: Path) -> None:
    shards = tmp_path / "shards"
    shards.mkdir()
    (shards / "00000.parquet").touch()
    with pytest.raises(IncompleteRun, match="is not planned to its end yet"):
        explore([str(tmp_path)])


def test_where_the_server_is_not_installed_it_says_what_to_install(undisturbed: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, str(undisturbed)],
        env={**environment(), "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    line = "attnray: attnray explore needs a server: pip install 'attnray[explore]'\n"
    assert (done.returncode, done.stderr) == (2, line)


#: As `attnray explore`, where aiohttp is not to be found.
WITHOUT = """
import importlib.util, sys
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == "aiohttp" else find(name, *more)
from attnray.cli.main import main
main("explore")
"""
