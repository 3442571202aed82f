"""An account's quota of uploads holds exactly, also where two processes open uploads at the same time."""

import asyncio
from datetime import timedelta

import pytest

from marquee.domain.ids import new_account_id
from marquee.domain.upload_quota import DAY_SECONDS, UploadQuota, UploadQuotaExceeded
from marquee.stores.catalogue import open_catalogue
from marquee.stores.catalogue.contract import Catalogue
from marquee.stores.catalogue.values import Upload
from tests.harness.catalogue.steps import DETAILS
from tests.harness.uploads import mark_completed, new_upload

NO_LIMIT = UploadQuota(0, 0)
CREATIONS = 50


async def begin(catalogue: Catalogue, account_id: str, quota: UploadQuota, **known: object) -> Upload:
    return await catalogue.uploads.open(new_upload(account_id=account_id, **known), DETAILS, quota=quota)


async def outcomes(*stores: Catalogue, account_id: str, quota: UploadQuota, size_bytes: int) -> tuple[int, int]:
    """(opened, refused) of CREATIONS at once, spread over the stores. Any other error is raised."""

    async def one(number: int) -> bool:
        try:
            await begin(stores[number % len(stores)], account_id, quota, size_bytes=size_bytes)
        except UploadQuotaExceeded:
            return False
        return True

    made = await asyncio.gather(*(one(number) for number in range(CREATIONS)))
    return sum(made), CREATIONS - sum(made)


async def test_no_creation_gets_past_the_quota_however_many_ask_at_once(catalogue: Catalogue, url: str) -> None:
    other = open_catalogue(url)
    by_number = await outcomes(catalogue, other, account_id=new_account_id(), quota=UploadQuota(7, 0), size_bytes=10)
    by_bytes = await outcomes(catalogue, other, account_id=new_account_id(), quota=UploadQuota(0, 95), size_bytes=10)
    await other.close()
    assert by_number == (7, CREATIONS - 7)
    assert by_bytes == (9, CREATIONS - 9)


async def test_an_upload_that_ended_is_no_longer_open(catalogue: Catalogue) -> None:
    account_id, quota = new_account_id(), UploadQuota(2, 0)
    first = await begin(catalogue, account_id, quota, file_name="first.mp4")
    second = await begin(catalogue, account_id, quota, file_name="second.mp4")
    with pytest.raises(UploadQuotaExceeded, match=r"first\.mp4") as refused:
        await catalogue.uploads.check_quota(account_id, 1, quota)
    assert [one.upload_id for one in refused.value.open_uploads] == [first.upload_id, second.upload_id]
    await catalogue.uploads.end(first.upload_id, "abandoned")
    third = await begin(catalogue, account_id, quota)
    await mark_completed(catalogue.uploads, second)
    await catalogue.uploads.end(third.upload_id, "aborted")
    for _ in range(2):
        await begin(catalogue, account_id, quota)
    with pytest.raises(UploadQuotaExceeded):
        await begin(catalogue, account_id, quota)


async def test_bytes_count_until_a_day_has_passed_and_only_if_a_part_was_asked_for(catalogue: Catalogue) -> None:
    account_id, quota = new_account_id(), UploadQuota(0, 100)
    never_used = await begin(catalogue, account_id, quota, size_bytes=60)
    await catalogue.uploads.end(never_used.upload_id, "aborted")
    used = await begin(catalogue, account_id, quota, size_bytes=60)
    await catalogue.uploads.touch(used.upload_id)
    await catalogue.uploads.end(used.upload_id, "aborted")
    await begin(catalogue, account_id, quota, size_bytes=40)
    with pytest.raises(UploadQuotaExceeded) as refused:
        await begin(catalogue, account_id, quota, size_bytes=1)
    assert DAY_SECONDS - 60 <= refused.value.retry_after_seconds <= DAY_SECONDS


async def test_bytes_of_yesterday_do_not_count(catalogue: Catalogue) -> None:
    account_id, quota = new_account_id(), UploadQuota(0, 100)
    now = new_upload().created_at
    for hours, size_bytes in ((25, 90), (23, 30), (1, 50)):
        await begin(catalogue, account_id, NO_LIMIT, size_bytes=size_bytes, created_at=now - timedelta(hours=hours))
    await catalogue.uploads.check_quota(account_id, 20, quota)
    with pytest.raises(UploadQuotaExceeded) as refused:
        await catalogue.uploads.check_quota(account_id, 40, quota)
    assert 0.9 * 3600 <= refused.value.retry_after_seconds <= 3600, "when the upload of 23 hours ago is a day old"


async def test_accounts_do_not_count_for_each_other(catalogue: Catalogue) -> None:
    """`begin` raises `UploadQuotaExceeded` if another account's upload counts."""
    quota = UploadQuota(1, 100)
    for _ in range(3):
        await begin(catalogue, new_account_id(), quota, size_bytes=100)
