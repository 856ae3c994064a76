"""Credentials of S3 that the environment only names: those of a profile of ~/.aws."""

from __future__ import annotations

import os
from typing import Any

from attnray.errors import InputError

#: What says who asks without a profile, which then counts for nothing.
BEFORE_PROFILE = ("AWS_ACCESS_KEY_ID", "AWS_SKIP_SIGNATURE")


def of_profile(address: str) -> dict[str, Any]:
    """What a client of obstore is told of the profile that AWS_PROFILE names, if it names one.

    Single sign-on and roles are among what a profile can say; boto3 knows them all.

    Raises:
        InputError: there is no such profile, nothing in it, or no boto3 to read it.
    """
    profile = os.environ.get("AWS_PROFILE")
    if not profile or not address.startswith("s3://") or {*BEFORE_PROFILE} & {*os.environ}:
        return {}
    try:
        import boto3
        from botocore.exceptions import BotoCoreError
        from obstore.auth.boto3 import Boto3CredentialProvider
    except ImportError as error:
        raise InputError(
            f"AWS_PROFILE={profile} takes boto3: pip install 'attnray[s3]', or set "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        ) from error
    try:
        return {"credential_provider": Boto3CredentialProvider(boto3.Session())}
    except (BotoCoreError, ValueError) as error:
        raise InputError(f"AWS_PROFILE={profile}: {error}") from error
