"""Starting Spark: the Java without one argument, the folders of killed runs, the settings, and what is said without the extra."""

import fcntl
import importlib.util
import os
import subprocess
from pathlib import Path

import pytest

from jobs.spark import session
from marquee.errors import PlatformUnavailable, SettingsInvalid
from marquee.platform.programs import spark_java
from marquee.settings import load_settings
from marquee.settings.cores import cores


def test_java_gets_every_argument_but_the_one_that_it_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    java = tmp_path / "the java's folder" / "java"
    java.parent.mkdir()
    java.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    java.chmod(0o755)
    monkeypatch.setattr(spark_java, "java_17", lambda _: java)
    settings = load_settings(state=tmp_path / "state")
    home = spark_java.spark_java_home(settings)
    asked = ["-Xmx1g", spark_java.REFUSED_ARGUMENT, "--add-modules=java.sql", "a b", "", "$HOME"]
    done = subprocess.run([home / "bin" / "java", *asked], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split("\n")[:-1] == ["-Xmx1g", "--add-modules=java.sql", "a b", "", "$HOME"]
    made = (home / "bin" / "java").stat().st_ino
    assert spark_java.spark_java_home(settings) == home
    assert (home / "bin" / "java").stat().st_ino == made, "it is made once"
    (home / "bin" / "java").write_text("of an older release")
    spark_java.spark_java_home(settings)
    assert subprocess.run([home / "bin" / "java", "x"], capture_output=True, text=True, timeout=60).stdout == "x\n"


def test_the_folder_of_a_killed_run_goes_and_that_of_a_living_one_stays(tmp_path: Path) -> None:
    settings = load_settings(state=tmp_path)
    work = tmp_path / "spark" / "work"
    killed, living = work / "killed", work / "living"
    for folder in (killed, living):
        folder.mkdir(parents=True)
        (folder / "lock").touch()
        (folder / "spilled").touch()
    holder = os.open(living / "lock", os.O_RDWR)
    try:
        fcntl.flock(holder, fcntl.LOCK_EX)
        with session.work_folder(settings) as mine:
            assert sorted(work.iterdir()) == sorted([living, mine])
        assert list(work.iterdir()) == [living]
    finally:
        os.close(holder)


def test_without_the_extra_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with (
        pytest.raises(PlatformUnavailable, match=r"pyspark, pyarrow are not installed.*make analytics"),
        session.spark_session(load_settings(state=tmp_path), "tests", tmp_path),
    ):
        raise AssertionError("Spark started")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("spark_master", "yarn"),
        ("spark_master", "local[0]"),
        ("spark_properties", "[]"),
        ("spark_properties", '{"a": 1}'),
    ],
)
def test_a_setting_that_spark_would_refuse_is_refused_first(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsInvalid, match=f"MARQUEE_{name.upper()}"):
        load_settings(state=tmp_path, **{name: value})


def test_the_properties_of_a_job(tmp_path: Path) -> None:
    own = load_settings(state=tmp_path, spark_properties='{"spark.ui.enabled": "true", "spark.jars.packages": "a:b:1"}')
    found = session.properties(own, tmp_path)
    assert found["spark.master"] == f"local[{cores()}]", "local[*] is bounded by the cores that this process may use"
    assert found["spark.driver.host"] == "127.0.0.1", "nothing outside of this host reaches the job"
    assert (found["spark.ui.enabled"], found["spark.jars.packages"]) == ("true", "a:b:1"), (
        "the setting has the last word"
    )
    cluster = session.properties(load_settings(state=tmp_path, spark_master="spark://one:7077"), tmp_path)
    assert cluster["spark.master"] == "spark://one:7077"
    assert "spark.driver.host" not in cluster, "its workers must reach the driver"
