"""The command line: python -m snippets list | run | verify | new, and the steps the pipeline is made of."""

import os
import subprocess
import sys
import time
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from snippets.book.errors import BookError
from snippets.book.measure import catalogue, fingerprint, pipeline, seeds, store, watch
from snippets.book.paths import figures

app = typer.Typer(
    help="Run the experiments of In Context, and check what the book says about them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console(highlight=False)

Name = Annotated[str, typer.Argument(help="an experiment, such as abrupt_learning/jump or jump")]
Preset = Annotated[str, typer.Option(help="laptop (what the book shows) or, where there is one, paper")]
Cells = Annotated[str, typer.Option("--cells", help="cells of a sweep, such as a,b; all of them if none is named")]
Seeds = Annotated[str, typer.Option(help="such as 0-4 or 0,2,7")]


def main() -> None:
    """Run the command line; a problem is one line on standard error."""
    try:
        app(standalone_mode=False)
    except BookError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except typer.Abort:
        sys.exit(130)
    except typer.Exit as stop:
        sys.exit(stop.exit_code)
    except Exception as error:
        if hasattr(error, "format_message"):  # what Typer says of an unknown option or a missing argument
            print(f"error: {error.format_message()}; `python -m snippets --help` shows the calls", file=sys.stderr)
            sys.exit(2)
        raise


@app.command("list")
def list_experiments() -> None:
    """List the experiments, their questions, and what is known of each."""
    table = Table(box=None, pad_edge=False)
    for column in ("experiment", "question", "claims", "core-seconds"):
        table.add_column(column)
    for name in catalogue.discover():
        experiment = catalogue.load(name)
        try:
            results = pipeline.read_results(name, "laptop", seeds.DEFAULT_SEEDS)
        except BookError:
            results = None
        holding = f"{sum(c['holds'] for c in results['claims'])} of " if results else ""
        cost = f"{sum(results['provenance']['core_seconds']):.0f}" if results else "not run"
        table.add_row(name, experiment.question, f"{holding}{len(experiment.claims)}", cost)
    console.print(table)


@app.command()
def run(name: Name, preset: Preset = "laptop", seeds_: Annotated[str, typer.Option("--seeds")] = "0-4") -> None:
    """Train one experiment, judge its claims and draw its figures. What is already measured is not measured again."""
    from snippets.book.figures import drawing

    wanted = seeds.parse(seeds_)
    experiment = catalogue.load(name)
    experiment.preset(preset)
    train_side_by_side(experiment.name, preset, wanted)
    if wanted == seeds.DEFAULT_SEEDS:
        results = pipeline.judge(experiment, preset, wanted)
        drawn = drawing.draw(experiment, preset, wanted)
    else:  # other seeds are judged, and leave what the book shows alone
        results, drawn = {"claims": judged(experiment, preset, wanted)}, None
    print_claims(experiment.name, wanted, results["claims"])
    if drawn:
        folder = store.relative(figures(experiment.name, preset))
        console.print(f"figures: {', '.join(drawn['figures'])} in {folder}/")
    stop_if_failing(results["claims"])


@app.command()
def verify(
    names: Annotated[list[str] | None, typer.Argument(help="experiments; all of them if none is named")] = None,
    preset: Preset = "laptop",
    seeds_: Annotated[str, typer.Option("--seeds", help="such as 100-104")] = "0-4",
) -> None:
    """Check every claim on seeds of your choice. The book's own results stay as they are."""
    wanted = seeds.parse(seeds_)
    experiments = [catalogue.load(name) for name in names or catalogue.discover()]
    for experiment in experiments:
        experiment.preset(preset)
    claims = []
    for experiment in experiments:
        train_side_by_side(experiment.name, preset, wanted)
        found = judged(experiment, preset, wanted)
        print_claims(experiment.name, wanted, found)
        claims += found
    stop_if_failing(claims)


@app.command()
def new(name: Annotated[str, typer.Argument(help="part/name, such as induction_heads/by_hand")]) -> None:
    """Make a new experiment and its chapter: both work, and show where to put what."""
    from snippets.book import scaffold

    for line in scaffold.make(name):
        console.print(line)


@app.command(rich_help_panel="Steps of the pipeline")
def train(
    name: Name,
    preset: Preset = "laptop",
    seeds_: Annotated[str, typer.Option("--seeds")] = "0-4",
    cells: Cells = "",
) -> None:
    """Train and measure the given seeds, one after another; in a sweep, each in the given cells."""
    experiment = catalogue.load(name)
    wanted = experiment.choose_cells(preset, cells)
    for seed in seeds.parse(seeds_):
        for cell in wanted:
            with watch.telling(experiment.name, preset, seed, cell) as tell:
                pipeline.train(experiment, preset, seed, cell, tell)


@app.command(rich_help_panel="Steps of the pipeline")
def judge(name: Name, preset: Preset = "laptop", seeds_: Annotated[str, typer.Option("--seeds")] = "0-4") -> None:
    """Judge the claims on what was measured and write results.json."""
    pipeline.judge(catalogue.load(name), preset, seeds.parse(seeds_))


@app.command(rich_help_panel="Steps of the pipeline")
def draw(name: Name, preset: Preset = "laptop", seeds_: Annotated[str, typer.Option("--seeds")] = "0-4") -> None:
    """Draw the figures from what was measured."""
    from snippets.book.figures import drawing

    drawing.draw(catalogue.load(name), preset, seeds.parse(seeds_))


@app.command("labs", rich_help_panel="Steps of the pipeline")
def make_labs(
    names: Annotated[list[str] | None, typer.Argument(help="labs; all of them if none is named")] = None,
) -> None:
    """Make the exercise, the solution and the page of each lab; the solution is run, and has to pass its checks."""
    from snippets.book.pages import lab_runs, labs

    for lab in names or labs.discover():
        lab_runs.make(lab)


@app.command(rich_help_panel="Steps of the pipeline")
def check() -> None:
    """Check the pages against the results: claims, figures, citations, code sections. Needs no training."""
    from snippets.book.pages import checks

    checks.stop_at_problems()
    console.print("the pages agree with the results")


@app.command(rich_help_panel="Steps of the pipeline")
def site(draft: Annotated[bool, typer.Option(help="say what is missing instead of stopping")] = False) -> None:
    """Build the pages from what was measured into site/."""
    from snippets.book.pages import publish

    publish.build(draft=draft)


@app.command(rich_help_panel="Steps of the pipeline")
def build(
    preset: Preset = "laptop",
    cores: Annotated[int, typer.Option(help="jobs side by side; 0: as many as there are cores")] = 0,
    site: Annotated[bool, typer.Option(help="build the pages too")] = True,
    profile: Annotated[str, typer.Option(help="a Snakemake profile for a cluster, such as profiles/slurm")] = "",
) -> None:
    """Make what is stale, in the right order: measurements, verdicts, figures and, for the laptop preset, the site."""
    from snippets.book.measure import orchestra

    orchestra.build(preset, cores or os.cpu_count() or 1, site, profile)


@app.command(rich_help_panel="Steps of the pipeline")
def serve(address: Annotated[str, typer.Option(help="host:port")] = "127.0.0.1:8000") -> None:
    """Serve the book in draft at once, and fill in figures and numbers as their runs end."""
    from snippets.book.pages import live

    live.serve(address)


def train_side_by_side(name: str, preset: str, wanted: list[int]) -> None:
    """Train the seeds that are not there yet, as many at a time as there are cores, behind a progress bar."""
    missing = [seed for seed in wanted if pipeline.share_done(name, preset, seed) < 1]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "snippets", "train", name, "--preset", preset, *options],
            stderr=subprocess.PIPE,
            text=True,
        )
        for options in shares(missing, fingerprint.cells(name, preset), os.cpu_count() or 1)
    ]
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
    try:
        with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console, transient=True) as bar:
            task = bar.add_task(f"{name}, {len(missing)} of {len(wanted)} seeds to train", total=len(missing) or 1)
            while any(process.poll() is None for process in processes):
                bar.update(task, completed=sum(pipeline.share_done(name, preset, seed) for seed in missing))
                time.sleep(0.2)
        for process in processes:
            if process.wait():
                raise failed_training(process)
    finally:
        for process in processes:
            process.kill()


def shares(missing: list[int], cells: list[str], workers: int) -> list[list[str]]:
    """Deal the work out: to each worker some seeds and, where there are fewer seeds than workers, some cells."""
    by_seed = min(len(missing), workers)
    by_cell = min(len(cells), workers // by_seed) if by_seed else 0
    return [
        ["--seeds", ",".join(map(str, missing[i::by_seed])), "--cells", ",".join(cells[j::by_cell])]
        for i in range(by_seed)
        for j in range(by_cell)
    ]


def failed_training(process: subprocess.Popen) -> BookError:
    """The error a training process ended with: its own line, or the last one of its traceback."""
    lines = (process.stderr.read() if process.stderr else "").strip().splitlines()
    last = lines[-1].removeprefix("error: ") if lines else f"a training process ended with code {process.returncode}"
    if len(lines) > 1:
        print("\n".join(lines[:-1]), file=sys.stderr)
    return BookError(last)


def judged(experiment: catalogue.Experiment, preset: str, wanted: list[int]) -> list[dict]:
    """The verdicts on these seeds, written nowhere."""
    measurements, _ = pipeline.runs(experiment, preset, wanted)
    return [pipeline.verdict(experiment.name, claim, wanted, measurements) for claim in experiment.claims]


def print_claims(name: str, wanted: list[int], claims: list[dict]) -> None:
    """Claim by claim: PASS or FAIL, on how many seeds, the measured median and range, the sentence."""
    table = Table(box=None, pad_edge=False, title=f"{name}, seeds {seeds.spell(wanted)}", title_justify="left")
    for column in ("", "claim", "seeds", "median (range)", "says"):
        table.add_column(column, overflow="fold")
    for claim in claims:
        failing = [str(s) for s, passed in zip(wanted, claim["passed"]) if passed is False]
        on = f"{claim['applies'] - len(failing)} of {claim['applies']}" + (
            f", not {','.join(failing)}" if failing else ""
        )
        word = "[green]PASS[/]" if claim["holds"] else "[bold red]FAIL[/]"
        shown = f"{short(claim['median'])} ({short(claim['low'])} to {short(claim['high'])}) {claim['unit']}"
        table.add_row(word, claim["id"], on, shown.strip(), claim["says"])
    console.print(table)


def short(value: float | str | None) -> str:
    return "no seed" if value is None else value if isinstance(value, str) else f"{value:.4g}"


def stop_if_failing(claims: list[dict]) -> None:
    """Raise BookError naming the claims that fail."""
    failing = [claim["id"] for claim in claims if not claim["holds"]]
    if failing:
        raise BookError(f"{len(failing)} of {len(claims)} claims do not hold: {', '.join(failing)}")
