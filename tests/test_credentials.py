"""Credentials of S3 by a profile of ~/.aws."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from attnray.credentials import of_profile
from attnray.errors import InputError


@pytest.fixture(autouse=True)
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file with two profiles, one of which has nothing in it."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SKIP_SIGNATURE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "config").write_text(
        "[profile team]\nregion = eu-west-1\naws_access_key_id = ours\n"
        "aws_secret_access_key = secret\n[profile nothing]\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_PROFILE", "team")


def test_a_profile_says_who_asks_and_where() -> None:
    provider = of_profile("s3://bucket")["credential_provider"]
    assert provider.config == {"region": "eu-west-1"}
    assert provider()["access_key_id"] == "ours"


def test_keys_come_before_it_and_other_stores_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert of_profile("gs://bucket") == of_profile("https://host") == {}
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "another")
    assert of_profile("s3://bucket") == {}


@pytest.mark.parametrize("profile", ["nobody", "nothing"])
def test_a_profile_that_says_nothing(profile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", profile)
    with pytest.raises(InputError, match=f"AWS_PROFILE={profile}: "):
        of_profile("s3://bucket")


def test_without_boto3_it_is_said_how_to_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(InputError, match=r"pip install 'attnray\[s3\]'"):
        of_profile("s3://bucket")
