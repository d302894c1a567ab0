# The way to a cluster: a job is one unit, a seed of an experiment or of one cell of it.
#
#   python -m snippets build --preset paper --profile profiles/slurm
#
# lists the units that are missing in build/jobs.txt, calls Snakemake on this file, and gathers what the jobs have made.
# By hand: `snakemake units --profile profiles/slurm`, then `python -m snippets gather --preset paper`.

import shlex
from pathlib import Path

from snippets.book.measure.cluster import call

JOBS = Path("build/jobs.txt").read_text(encoding="utf-8").split()


wildcard_constraints:
    preset="[a-z0-9_]+",
    experiment="[a-z0-9_]+/[a-z0-9_]+",
    unit="[0-9]+(\\.[a-z0-9-]+)?",
    stamp="[0-9a-f]{16}",


rule units:
    default_target: True
    input:
        JOBS,


rule train:
    output:
        "build/units/{preset}/{experiment}/{unit}.{stamp}.npz",
    params:
        call=lambda w: shlex.join(call(w.preset, w.experiment, w.unit)),
    shell:
        "{params.call}"
