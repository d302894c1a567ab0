# How a number comes to its page. Snakemake decides what is stale and runs what is independent side by side; every step is
# a command of its own (python -m snippets train | judge | draw | labs | site), safe to repeat, and checks what it reads.
#
#   python -m snippets build                                            the whole book
#   python -m snippets build --preset paper --profile profiles/slurm    the papers' own settings, on a cluster
#
# `build` takes a lock, deletes what its fingerprint says is stale, and calls Snakemake on this file. A job re-runs too when
# the fingerprint of its cause changes (a `params:` entry), or an input does. See snippets/book/measure/fingerprint.py.

import sys

from snippets.book.measure import fingerprint
from snippets.book.pages import labs
from snippets.book.measure.catalogue import discover
from snippets.book.pages.publish import sources
from snippets.book.measure.seeds import parse, spell

PRESET = config.get("preset", "laptop")
SEEDS = parse(str(config.get("seeds", "0-4")))
PER_JOB = int(config.get("seeds_per_job", 2))  # importing torch costs a second or two; a cluster takes 1
EXPERIMENTS = [name for name in discover() if PRESET == "laptop" or fingerprint.preset_expression(name, PRESET)]
LABS = labs.discover() if PRESET == "laptop" else []
SNIPPETS = f"{sys.executable} -m snippets"


def trained(wildcards):
    """The jobs that train an experiment: some seeds each; on a cluster, each cell of a sweep apart."""
    cells = fingerprint.cells(wildcards.experiment, PRESET)
    if PER_JOB == 1 and cells != [""]:
        jobs = [f"{seed}.{cell}" for seed in SEEDS for cell in cells]
    else:
        jobs = [spell(SEEDS[i : i + PER_JOB]) for i in range(0, len(SEEDS), PER_JOB)]
    return [f"build/{PRESET}/{wildcards.experiment}/trained-{job}" for job in jobs]


wildcard_constraints:
    experiment="[a-z0-9_]+/[a-z0-9_]+",
    preset="[a-z0-9_]+",
    seeds="[0-9,-]+",
    seed="[0-9]+",
    cell="[a-z0-9-]+",
    lab="[a-z0-9_]+",


rule results:
    input:
        expand("build/{preset}/{experiment}/results.json", preset=PRESET, experiment=EXPERIMENTS),
        expand("build/{preset}/{experiment}/figures.json", preset=PRESET, experiment=EXPERIMENTS),
        expand("build/labs/{lab}.json", lab=LABS),


rule all:
    default_target: True
    input:
        ["site/.complete"] if PRESET == "laptop" else [],
        rules.results.input,


rule train:
    output:
        touch("build/{preset}/{experiment}/trained-{seeds}"),
    params:
        cause=lambda w: fingerprint.of_runs(w.experiment, w.preset, parse(w.seeds)),
    shell:
        "{SNIPPETS} train {wildcards.experiment} --preset {wildcards.preset} --seeds {wildcards.seeds}"


rule train_cell:
    output:
        touch("build/{preset}/{experiment}/trained-{seed}.{cell}"),
    params:
        cause=lambda w: fingerprint.of_run(w.experiment, w.preset, int(w.seed), w.cell),
    shell:
        "{SNIPPETS} train {wildcards.experiment} --preset {wildcards.preset} --seeds {wildcards.seed}"
        " --cells {wildcards.cell}"


rule judge:
    input:
        trained,
    output:
        "build/{preset}/{experiment}/results.json",
    params:
        seeds=spell(SEEDS),
        cause=lambda w: fingerprint.of_results(w.experiment, w.preset, SEEDS),
    shell:
        "{SNIPPETS} judge {wildcards.experiment} --preset {wildcards.preset} --seeds {params.seeds}"


rule draw:
    input:
        trained,
    output:
        "build/{preset}/{experiment}/figures.json",
    params:
        seeds=spell(SEEDS),
        cause=lambda w: fingerprint.of_figures(w.experiment, w.preset, SEEDS),
    shell:
        "{SNIPPETS} draw {wildcards.experiment} --preset {wildcards.preset} --seeds {params.seeds}"


rule lab:
    output:
        "build/labs/{lab}.json",
    params:
        cause=lambda w: fingerprint.of_lab(w.lab),
    shell:
        "{SNIPPETS} labs {wildcards.lab}"


rule site:
    input:
        rules.results.input,
        sources(),
    output:
        "site/.complete",
    shell:
        "{SNIPPETS} site"
