"""What the command prints when an account's quota of uploads is used up."""

import pytest

from marquee.cli import EXIT_REFUSED, fail
from marquee.client.session import ApiProblem


def test_each_open_upload_is_printed_with_the_command_that_cancels_it(capsys: pytest.CaptureFixture[str]) -> None:
    listed = [
        {"upload_id": f"u_{number:020}", "file_name": f"film [{number}].mp4", "created_at": "2026-11-30T10:20:30Z"}
        for number in range(3)
    ]
    document = {"detail": "This account has 3 open uploads.", "code": "upload-quota-exceeded", "open_uploads": listed}
    with pytest.raises(SystemExit) as ended:
        fail(ApiProblem(429, document))
    assert ended.value.code == EXIT_REFUSED
    said = capsys.readouterr().err
    assert "This account has 3 open uploads." in said
    for one in listed:
        assert f"{one['file_name']}, open since 2026-11-30 10:20: marquee cancel-upload {one['upload_id']}" in said
