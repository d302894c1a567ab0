"""The way to a cluster: a job for each unit that is missing, on a real Slurm of one node where there is one."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from snippets.book.errors import BookError
from snippets.book.measure import cluster
from tests.book.measure.conftest import wait_for

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue")
SETTINGS = Path("/etc/slurm/slurm.conf")  # where a job's own programs look for them
PROFILE = """executor: slurm
jobs: 10
latency-wait: 20
slurm-status-command: squeue
slurm-init-seconds-before-status-checks: 1
default-resources:
  runtime: 10
  mem_mb: 200
  cpus_per_task: 1
  slurm_partition: debug
"""
CONF = """ClusterName=book
SlurmctldHost={host}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
ReturnToService=2
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SchedulerParameters=batch_sched_delay=0,sched_interval=1
SelectType=select/cons_tres
NodeName={host} CPUs={cores} RealMemory=2000 State=UNKNOWN
PartitionName=debug Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def absent() -> str:
    """Why there can be no Slurm here, or ''."""
    if missing := [name for name in PROGRAMS if not which(name)]:
        return f"no Slurm here: {', '.join(missing)} missing; Debian's slurm-wlm and munge have them"
    if " " in sys.executable:
        return "no Slurm here: Snakemake cannot submit jobs from a path with a space"
    if os.geteuid() != 0:
        return "no Slurm here: only root can start one"
    if SETTINGS.exists():
        return f"no Slurm here: {SETTINGS} is there, this machine has a Slurm of its own"
    try:
        import snakemake_executor_plugin_slurm  # noqa: F401
    except ImportError:
        return "no Slurm here: snakemake-executor-plugin-slurm is not installed"
    return ""


def which(name: str) -> str | None:
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    """A Slurm of one node."""
    if why := absent():
        pytest.skip(why)
    folder = tmp_path_factory.mktemp("slurm")
    for name in ("state", "spool"):
        (folder / name).mkdir()
    folder.chmod(0o755)
    (folder / "munge.key").write_bytes(os.urandom(128))
    (folder / "munge.key").chmod(0o400)
    host = os.uname().nodename.split(".")[0]
    cores = os.cpu_count() or 1
    (folder / "slurm.conf").write_text(CONF.format(host=host, folder=folder, cores=cores), encoding="utf-8")
    SETTINGS.parent.mkdir(exist_ok=True)
    SETTINGS.symlink_to(folder / "slurm.conf")
    munge = ["--key-file", "munge.key", "--socket", "munge.socket", "--pid-file", "munge.pid", "--log-file",
             "munge.log", "--seed-file", "munge.seed"]  # fmt: skip
    files = [word if word.startswith("--") else str(folder / word) for word in munge]
    commands = [
        [which("munged"), "--foreground", "--force", *files],
        [which("slurmctld"), "-D"],
        [which("slurmd"), "-D", "-N", host],
    ]
    started: list[subprocess.Popen] = []
    try:
        for command in commands:
            started.append(subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL))
            if len(started) == 1:
                wait_for(lambda: (folder / "munge.socket").exists())
        wait_for(lambda: "idle" in said("sinfo") or stopped(started, folder))
        yield
    finally:
        SETTINGS.unlink()
        for process in reversed(started):
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def said(command: str) -> str:
    return subprocess.run([command], capture_output=True, text=True).stdout


def stopped(started: list[subprocess.Popen], folder: Path) -> bool:
    if any(process.poll() is not None for process in started):
        logs = "\n".join(path.read_text(errors="replace")[-1500:] for path in folder.glob("*.log"))
        pytest.fail(f"a daemon of Slurm stopped:\n{logs}")
    return False


@pytest.mark.slurm
def test_a_preset_is_measured_by_jobs_on_slurm(book, slurm):
    (book.root / "profile").mkdir()
    (book.root / "profile/config.yaml").write_text(PROFILE, encoding="utf-8")
    book.passes("train", "tiny", "--preset", "paper", "--seeds", "0-1")
    finished, cut = sorted((book.root / "build/units/paper/mechanisms/tiny").iterdir())
    before = finished.stat().st_mtime_ns
    cut.write_bytes(cut.read_bytes()[:500])  # a truncated file is not taken for a finished one
    said = book.passes("build", "--preset", "paper", "--profile", "profile")
    assert finished.stat().st_mtime_ns == before, "what is finished is not submitted again"
    book.passes("gather", "--preset", "paper")
    assert len(list((book.root / "build/units/paper/mechanisms/tiny").iterdir())) == 5
    assert (book.root / "build/paper/mechanisms/tiny/results.json").exists()
    assert "git add" not in said, "other presets are no part of the record"


@pytest.mark.pipeline
def test_snakemake_submits_what_is_missing_and_nothing_else(book):
    """The same file, with Snakemake's local executor in the cluster's place."""
    (book.root / "profile").mkdir()
    (book.root / "profile/config.yaml").write_text("cores: 2\n", encoding="utf-8")
    book.passes("train", "tiny", "--preset", "paper", "--seeds", "0-1")
    finished, cut = sorted((book.root / "build/units/paper/mechanisms/tiny").iterdir())
    before = finished.stat().st_mtime_ns
    cut.write_bytes(cut.read_bytes()[:500])
    book.passes("build", "--preset", "paper", "--profile", "profile")
    assert finished.stat().st_mtime_ns == before and cut.stat().st_size > 500
    assert (book.root / "build/paper/mechanisms/tiny/results.json").exists()
    book.edit(book.code, '"last": errors[-1]', '"last": np.nan')
    assert "jobs failed, the lines above say which" in book.fails("build", "--preset", "paper", "--profile", "profile")
    assert "there is no profile 'nowhere'" in book.fails("build", "--preset", "paper", "--profile", "nowhere")


def test_a_job_is_one_call_of_train():
    from snippets.book.measure.cluster import call

    assert call("paper", "part/name", "3")[1:] == [
        "-m", "snippets", "train", "part/name", "--preset", "paper", "--seeds", "3",
    ]  # fmt: skip
    assert call("laptop", "part/name", "3.few")[-4:] == ["--seeds", "3", "--cells", "few"]
    assert call("paper", "part/name", "3")[0] == sys.executable


def test_a_path_with_a_space_is_said_before_any_job_is_submitted(monkeypatch):
    """Snakemake puts the path of Python into a job's command as it is."""
    monkeypatch.setattr(cluster.sys, "executable", "/a book/.venv/bin/python")
    with pytest.raises(BookError, match="cannot submit jobs from a path with a space"):
        cluster.train(["mechanisms/tiny"], "paper", "profiles/slurm")
