"""The command line: python -m snippets list | status | run | verify | new, and the steps the book is made of."""

import signal
import sys
from typing import Annotated, Any

import typer
from rich.console import Console

from snippets.book import tables
from snippets.book.errors import BookError
from snippets.book.measure import catalogue, machine, make, seeds, trial
from snippets.book.paths import figures, relative

app = typer.Typer(
    help="Run the experiments of In Context, and check what the book says about them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console(highlight=False)

Name = Annotated[str, typer.Argument(help="an experiment, such as abrupt_learning/jump or jump")]
Names = Annotated[list[str] | None, typer.Argument(help="experiments; all of them if none is named")]
Preset = Annotated[str, typer.Option(help="laptop (what the book shows) or, where there is one, paper")]
Cells = Annotated[str, typer.Option("--cells", help="cells of a sweep, such as a,b; all of them if none is named")]
Seeds = Annotated[str, typer.Option("--seeds", help="such as 0-4 or 0,2,7")]
Cores = Annotated[int, typer.Option(help="workers side by side; 0: as many as there are cores")]
STEPS = "Steps of the build"


def main() -> None:
    """Run the command line: a problem is one line on standard error, an interruption exit code 130 or 128 + signal."""
    for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        if signal.getsignal(number) == signal.SIG_DFL:  # nohup has its reasons
            signal.signal(number, lambda got, frame: sys.exit(128 + got))
    try:
        sys.exit(app(standalone_mode=False) or 0)  # Typer returns the code of an interruption
    except BookError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except (typer.Abort, KeyboardInterrupt):
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
    from snippets.book.measure import outline

    console.print(tables.experiments(outline.rows()))


@app.command()
def status(preset: Preset = "laptop") -> None:
    """Say of each experiment whether its measurements are fresh and, where not, what changed. Trains nothing."""
    from snippets.book.measure import outline

    for name, said in outline.status(preset):
        console.print(f"{name}: {said}", soft_wrap=True, markup=False)


@app.command()
def run(name: Name, preset: Preset = "laptop", seeds_: Seeds = "0-4", cores: Cores = 0) -> None:
    """Measure one experiment, judge its claims and draw its figures. What is already measured is not measured again."""
    wanted = seeds.parse(seeds_)
    experiment = catalogue.load(name)
    experiment.preset(preset)
    if wanted != seeds.DEFAULT_SEEDS:  # other seeds are judged, and leave what the book shows alone
        verify([experiment.name], preset, seeds_, cores)
        return
    problems = make.results_and_figures([experiment.name], preset, cores or machine.cores())
    trial.stop_at(problems, [])
    show_results(experiment.name, preset)


def show_results(name: str, preset: str) -> None:
    """The verdicts on an experiment and where its figures lie. Raises BookError where a claim fails."""
    from snippets.book.figures import listed
    from snippets.book.measure import pipeline

    results = pipeline.read_results(name, preset, seeds.DEFAULT_SEEDS)
    drawn = listed.read(name, preset, seeds.DEFAULT_SEEDS)
    assert results is not None and drawn is not None
    console.print(tables.claims(name, seeds.DEFAULT_SEEDS, results["claims"]))
    console.print(f"figures: {', '.join(drawn['figures'])} in {relative(figures(name, preset))}/")
    tell_what_to_commit(make.to_commit())
    trial.stop_at([], [claim["id"] for claim in results["claims"] if not claim["holds"]])


@app.command()
def verify(
    names: Names = None,
    preset: Preset = "laptop",
    seeds_: Seeds = "0-4",
    cores: Cores = 0,
    keep: Annotated[bool, typer.Option(help="put how many pairs held into record/fresh_seeds.json")] = False,
) -> None:
    """Check every claim on seeds of your choice. The book's own results stay as they are."""
    wanted = seeds.parse(seeds_)
    resolved = [catalogue.resolve(name) for name in names or catalogue.discover()]
    for name in resolved if names else []:
        catalogue.load(name).preset(preset)

    def show(name: str, claims: list[dict[str, Any]]) -> None:
        console.print(tables.claims(name, wanted, claims))

    tally, problems = trial.verify(resolved, preset, wanted, cores or machine.cores(), show)
    console.print(str(tally), soft_wrap=True)
    if keep:
        trial.keep(tally, resolved, seeds_)
    trial.stop_at(problems, tally.under)


@app.command()
def new(name: Annotated[str, typer.Argument(help="part/name, such as induction_heads/by_hand")]) -> None:
    """Make a new experiment and its chapter: both work, and show where to put what."""
    from snippets.book import scaffold

    for line in scaffold.make(name):
        console.print(line)


@app.command()
def audit(
    minutes: Annotated[float, typer.Option(help="how long it may take, on all cores")] = 2.0,
    commit: Annotated[
        str, typer.Option(help="draws the sample; the commit that is checked out, if none is given")
    ] = "",
    cores: Cores = 0,
) -> None:
    """Measure a sample of the record from nothing, and compare."""
    from snippets.book.measure import audit

    audit.sample(minutes, commit, cores or machine.cores())


@app.command()
def remeasure(
    publish: Annotated[bool, typer.Option(help="take the new measurements into the record")] = False,
    cores: Cores = 0,
) -> None:
    """Measure everything from nothing, beside the record, and say what differs."""
    from snippets.book.measure import audit

    audit.everything(publish, cores or machine.cores())


@app.command()
def bench(
    names: Names = None,
    seconds: Annotated[float, typer.Option(help="how long each experiment is timed")] = 4.0,
) -> None:
    """Time a step of each experiment, count its arithmetic, and write both to record/bench.json."""
    from snippets.book.measure import bench

    console.print(tables.speeds(bench.all_of(names or [], seconds)))


@app.command(rich_help_panel=STEPS)
def train(name: Name, preset: Preset = "laptop", seeds_: Seeds = "0-4", cells: Cells = "") -> None:
    """Measure the given seeds in this process, one after another; in a sweep, each in the given cells."""
    from snippets.book.measure import units

    experiment = catalogue.load(name)
    wanted = experiment.choose_cells(preset, cells)
    for seed in seeds.parse(seeds_):
        for cell in wanted:
            units.measure(experiment.name, preset, seed, cell)


@app.command(rich_help_panel=STEPS)
def gather(preset: Preset = "laptop", cores: Cores = 0) -> None:
    """Put what is measured into the record, judge it and draw its figures; where units are missing, name them."""
    make.gather(preset, cores or machine.cores())
    tell_what_to_commit(make.to_commit())


@app.command(rich_help_panel=STEPS)
def judge(name: Name, preset: Preset = "laptop") -> None:
    """Judge the claims on what is measured and write results.json."""
    make.keep(make.state.look(catalogue.resolve(name), preset, seeds.DEFAULT_SEEDS))


@app.command(rich_help_panel=STEPS)
def draw(name: Name, preset: Preset = "laptop", seeds_: Seeds = "0-4") -> None:
    """Draw the figures from what is measured."""
    from snippets.book.figures import drawing

    drawing.draw(catalogue.load(name), preset, seeds.parse(seeds_))


@app.command("labs", rich_help_panel=STEPS)
def make_labs(
    names: Annotated[list[str] | None, typer.Argument(help="labs; all of them if none is named")] = None,
) -> None:
    """Make the exercise, the solution and the page of each lab; the solution is run, and has to pass its checks."""
    from snippets.book.pages import lab_runs, labs

    for lab in names or labs.discover():
        lab_runs.make(lab)


@app.command(rich_help_panel=STEPS)
def check() -> None:
    """Check the pages against the results: claims, figures, citations, code sections. Needs no training."""
    from snippets.book.pages import checks

    checks.stop_at_problems()
    console.print("the pages agree with the results")


@app.command(rich_help_panel=STEPS)
def record(
    check: Annotated[
        bool, typer.Option("--check", help="fail where it is stale, or not committed as it is here")
    ] = False,
) -> None:
    """Say what of the record is stale or not committed."""
    problems = make.check()
    for line in [] if check else problems:
        console.print(line, soft_wrap=True, markup=False)
    trial.stop_at(problems if check else [], [])
    if not problems:
        console.print("the record is fresh, and committed as it is here")


@app.command(rich_help_panel=STEPS)
def site(draft: Annotated[bool, typer.Option(help="say what is missing instead of stopping")] = False) -> None:
    """Build the pages from what was measured into site/."""
    from snippets.book.pages import publish

    publish.build(draft=draft)


@app.command(rich_help_panel=STEPS)
def build(
    preset: Preset = "laptop",
    cores: Cores = 0,
    site: Annotated[bool, typer.Option(help="build the pages too")] = True,
    profile: Annotated[str, typer.Option(help="a Snakemake profile for a cluster, such as profiles/slurm")] = "",
) -> None:
    """Make what is stale, in the right order: measurements, verdicts, figures and, for the laptop preset, the site."""
    from snippets.book.measure import builder

    tell_what_to_commit(builder.build(preset, cores or machine.cores(), site, profile))


@app.command(rich_help_panel=STEPS)
def serve(address: Annotated[str, typer.Option(help="host:port")] = "127.0.0.1:8000") -> None:
    """Serve the book in draft at once, and fill in figures and numbers as their runs end."""
    from snippets.book.pages import live

    live.serve(address)


def tell_what_to_commit(folders: list[str]) -> None:
    if folders:
        added = " ".join(folders)
        said = f"the record has changed; commit it with the code that it was made by:\n  git add {added}"
        console.print(said, soft_wrap=True)
