"""What holds of everything that run folders lie on."""

from __future__ import annotations

import pickle

import pytest

from attnray.store.media.base import Medium


class MediumTests:
    """The tests of a medium, which a class of its own test file inherits, with its `medium`."""

    def test_a_file_comes_back_and_another_takes_its_place(self, medium: Medium) -> None:
        for content in (b"long content", b"short", b""):
            medium.write("deep/file", content)
            assert medium.read("deep/file") == content
            assert medium.local("deep/file").read_bytes() == content
            assert medium.size("deep/file") == len(content)

    def test_what_is_not_there_is_said(self, medium: Medium) -> None:
        medium.write("folder/file", b"")
        for name in ("file", "folder", "folder/other", "folder/file/inner"):
            assert medium.size(name) is None
            with pytest.raises(FileNotFoundError):
                medium.read(name)
        with pytest.raises(FileNotFoundError):
            medium.local("folder/other")
        assert medium.sizes("other") == {}

    def test_all_files_below_a_folder_are_listed(self, medium: Medium) -> None:
        for name in ("a/1", "a/b/2", "ab/3", "4"):
            medium.write(name, name.encode())
        assert medium.sizes("a") == {"a/1": 3, "a/b/2": 5}
        assert medium.sizes("").keys() == {"a/1", "a/b/2", "ab/3", "4"}

    def test_files_and_folders_are_removed(self, medium: Medium) -> None:
        for name in ("a/1", "a/b/2", "ab/3"):
            medium.write(name, b"x")
        medium.remove("a")
        medium.remove("a")
        medium.remove("ab/4")
        assert medium.sizes("").keys() == {"ab/3"}
        medium.remove("ab/3")
        assert medium.sizes("") == {}

    def test_what_is_made_appears_at_the_end_alone(self, medium: Medium) -> None:
        with medium.making("made/file") as path:
            path.write_bytes(b"new")
            assert medium.size("made/file") is None
        assert medium.read("made/file") == b"new"
        for content in ("first", "second"):
            with medium.making("made/folder") as path:
                path.mkdir()
                (path / content).write_text(content)
            assert medium.sizes("made/folder") == {f"made/folder/{content}": len(content)}
        assert (medium.local("made/folder") / "second").read_text() == "second"

    def test_an_error_leaves_what_was_there(self, medium: Medium) -> None:
        medium.write("file", b"old")

        def fail() -> None:
            with medium.making("file") as path:
                path.write_bytes(b"half")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        assert medium.read("file") == b"old"
        assert medium.sizes("").keys() == {"file"}

    def test_a_worker_gets_little_and_reads_the_same(self, medium: Medium) -> None:
        medium.write("file", b"content")
        sent = pickle.dumps(medium)
        assert len(sent) < 500
        assert pickle.loads(sent).read("file") == b"content"

    def test_a_driver_holds_it_with_what_it_calls(self, medium: Medium) -> None:
        with medium.hold(), medium.hold():
            medium.write("file", b"")
        with medium.hold():
            assert medium.size("file") == 0
