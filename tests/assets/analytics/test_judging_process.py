"""Great Expectations is imported in processes like those of Dagster's runs, whose main module has no file."""

import subprocess
import sys


def test_the_import_does_not_end_a_process_without_a_main_file() -> None:
    script = "from assets.analytics.judging import library; import sys; library(); print('pyspark' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=280, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "False"), done.stderr[-2000:]
