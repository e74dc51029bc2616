"""The modules against real daemons of PM2 5, 6 and 7: one version on each host, all at a time."""

from __future__ import annotations

import importlib.util
import subprocess
import tarfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from support.hosts import ssh
from support.playbooks import INVENTORY, ROOT

VERSIONS = {"titan1": "/opt/pm2-5", "titan2": "/opt/pm2-6", "titan3": "/opt/pm2-7"}
FOLDER = "/home/plugspace/pm2-tests"
UTILS = "ansible_collections/plugspace/titan/plugins/module_utils"
# All that the tests need beyond Python itself; none of it is compiled.
PYTEST = ("pytest", "_pytest", "py", "pluggy", "iniconfig", "packaging", "pygments")


def bundle(target: Path) -> Path:
    """The tests, what they test, and pytest."""

    def kept(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
        return None if "__pycache__" in entry.name else entry

    with tarfile.open(target, "w:gz") as archive:
        archive.add(ROOT / "tests/pm2", "tests", filter=kept)
        archive.add(ROOT / "plugins/module_utils", UTILS, filter=kept)
        for package in PYTEST:
            spec = importlib.util.find_spec(package)
            assert spec is not None
            assert spec.origin is not None
            source = Path(spec.origin)
            if source.name == "__init__.py":
                archive.add(source.parent, package, filter=kept)
            else:
                archive.add(source, source.name)
    return target


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[str]]]:
    """What pytest prints on each host."""
    archive = bundle(tmp_path_factory.mktemp("pm2") / "tests.tar.gz")
    for host in VERSIONS:
        ssh(host, f"rm -rf {FOLDER} && mkdir -m 0700 {FOLDER}")
    arguments = f"src={archive} dest={FOLDER}"
    subprocess.run(
        [
            "ansible",
            "titan_app",
            "-i",
            INVENTORY,
            "-m",
            "ansible.builtin.unarchive",
            "-a",
            arguments,
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    with ThreadPoolExecutor() as pool:
        yield {
            host: pool.submit(
                ssh,
                host,
                f"cd {FOLDER} && PM2_PREFIXES={prefix} PYTHONPATH=. python3 -m pytest tests -q"
                " -p no:cacheprovider --tb=short 2>&1",
                check=False,
                timeout=1500,
            )
            for host, prefix in VERSIONS.items()
        }
    for host in VERSIONS:
        ssh(host, f"rm -rf {FOLDER}")


@pytest.mark.parametrize("host_name", VERSIONS)
def test_real_pm2(runs: dict[str, Future[str]], host_name: str) -> None:
    output = runs[host_name].result()
    last = output.strip().splitlines()[-1]
    assert " passed" in last, output
    assert "failed" not in last, output
    assert "error" not in last, output


@pytest.mark.parametrize("host_name", VERSIONS)
def test_no_daemon_is_left(runs: dict[str, Future[str]], host_name: str) -> None:
    runs[host_name].result()
    assert ssh(host_name, "pgrep -fc 'God Daemon \\(/tmp/' || true").strip() == "0"
