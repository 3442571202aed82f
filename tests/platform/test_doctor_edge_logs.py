"""What `marquee doctor` says of edges' logs that nobody publishes."""

from pathlib import Path

from marquee.platform.examination import Finding, examine
from tests.harness.servers import make_test_settings
from tests.platform.conftest import without_all_but


def test_what_waits_and_what_was_dropped_is_told(tmp_path: Path) -> None:
    settings = make_test_settings(tmp_path, without=without_all_but("edge-1"))

    def told() -> Finding:
        [found] = [one for one in examine(settings) if one.name == "edges' logs"]
        return found

    assert (told().state, told().detail[:7]) == ("ok", "0.0 MiB")
    folder = tmp_path / "edge-logs" / "edge-1"
    folder.mkdir(parents=True)
    (folder / "179604678-7.jsonl").write_bytes(b"x" * 3 * 1024**2)
    (folder / "read.json").write_text('{"offsets": {"179604678-7.jsonl": 1048576}}')
    assert (told().state, told().detail[:7]) == ("ok", "2.0 MiB")
    (folder / "dropped.json").write_text('{"files": 2, "bytes": 5242880}')
    assert (told().state, "5.0 MiB were dropped unread" in told().detail) == ("optional", True)
