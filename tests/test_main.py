import subprocess
import sys


def test_the_exit_code_of_python_m_segue_is_the_commands():
    for module in ("segue", "segue.cli"):
        done = subprocess.run(
            [sys.executable, "-m", module, "compare", "absent.csv", "absent.csv"], capture_output=True, check=False
        )
        assert done.returncode == 2, module
