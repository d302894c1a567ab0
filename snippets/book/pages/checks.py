"""Do the pages agree with the results? Everything that can be asked without training and without building the site."""

from collections.abc import Iterator

from snippets.book.errors import BookError
from snippets.book.figures import listed
from snippets.book.measure import catalogue
from snippets.book.measure.seeds import DEFAULT_SEEDS
from snippets.book.pages import glossary, lab_runs, labs, macros, navigation, pages, references
from snippets.book.pages.facts import Facts
from snippets.book.paths import SHOWN_PRESET

CHAPTER_KEYS = ("title", "description", "part", "question", "mechanism", "evidence", "level", "experiments")
SHORTEST_ALT = 60  # characters; fewer cannot name the axes and the trend


def stop_at_problems() -> None:
    """Raise BookError with one line for each problem."""
    if found := list(problems()):
        raise BookError("\nerror: ".join(found))


def problems() -> Iterator[str]:
    """Every disagreement, as one line that names the page or the claim."""
    navigation.forget()
    all_pages, facts = pages.read_all(), Facts(draft=False)  # each experiment is read once
    known = {name.split("/")[1]: name for name in catalogue.discover()}
    for page in all_pages:
        yield from problems_of_page(page, facts)
    used = {
        (resolve(call.arguments[0], facts), call.arguments[1])
        for call in calls(all_pages, "claim")
        if len(call.arguments) > 1
    }
    for name in known.values():
        experiment = facts.experiment(name)
        for claim in experiment.claims:
            if (name, claim.id) not in used:
                call = f'claim("{name.split("/")[1]}", "{claim.id}")'
                yield f"claim '{claim.id}' of {name} stands on no page; state it with {call}"
            if claim.reported and claim.reported.key not in references.known():
                yield f"claim '{claim.id}' of {name} cites '{claim.reported.key}', which docs/references.bib lacks"
    yield from problems_of_map(all_pages)
    yield from problems_of_terms(all_pages)
    for lab in sorted(set(labs.discover()) - {call.arguments[0] for call in calls(all_pages, "lab") if call.arguments}):
        yield f'lab {lab} stands on no page; link it with lab("{lab}") in docs/labs/index.md'
    for lab in labs.discover():
        if not lab_runs.is_fresh(lab):
            yield lab_runs.stale(lab)
    for name in known.values():
        yield from problems_of_results(name, facts)
    yield from problems_of_figures(all_pages, facts)


def problems_of_terms(all_pages: list[pages.Page]) -> Iterator[str]:
    """Terms that are defined twice, and terms that a page leaves unlinked and nobody defines."""
    try:
        names = {term.name for term in glossary.read_terms()}
    except BookError as error:
        yield str(error)
        return
    for page in all_pages:
        for name in page.meta.get("not_terms", []):
            if name not in names:
                yield f"{page.name} says that '{name}' is no term there, and it is none anywhere; leave it out"


def problems_of_map(all_pages: list[pages.Page]) -> Iterator[str]:
    """Chapters that do not say what they need, or need what is not there or comes later."""
    numbers = {page.key: page.number for page in all_pages if page.number}
    for page in all_pages:
        if not page.number:
            continue
        if not isinstance(needs := page.meta.get("needs"), list):
            yield f"{page.name}: its front matter has no list 'needs'; name the chapters to read before it, or write []"
            continue
        for key in needs:
            if key not in numbers:
                yield f"{page.name} needs '{key}', which is no chapter; there are {', '.join(numbers)}"
            elif numbers[key] >= page.number:
                yield f"{page.name} needs '{key}', which comes after it"


def resolve(name: object, facts: Facts) -> str:
    """The full name of an experiment, or the name as it stands where there is none such."""
    try:
        return facts.resolve(str(name))
    except BookError:
        return str(name)


def calls(all_pages: list[pages.Page], macro: str) -> list[pages.Call]:
    return [call for page in all_pages for call in page.calls if call.name == macro]


def problems_of_page(page: pages.Page, facts: Facts) -> Iterator[str]:
    """What is wrong on one page, without looking at any result."""
    for key in sorted(page.citations - references.known()):
        yield f"{page.name} cites [^{key}], which docs/references.bib lacks; add the entry"
    for section in sorted(page.sections):
        if pages.section(section) is None:
            yield f'{page.name} shows "{section}", which is not a file or section in snippets/'
    if page.number:
        for key in CHAPTER_KEYS:
            if not page.meta.get(key):
                yield f"{page.name}: its front matter has no '{key}'"
    for call in page.calls:
        yield from problems_of_call(page, call, facts)


def problems_of_call(page: pages.Page, call: pages.Call, facts: Facts) -> Iterator[str]:
    """What is wrong with one macro call, without looking at any result."""
    if call.name not in macros.NAMES:
        yield f"{page.name} calls {call.name}(...), which is no macro; there are {', '.join(macros.NAMES)}"
    if call.name == "lab" and call.arguments[:1] not in [[lab] for lab in labs.discover()]:
        yield f"{page.name} links lab {', '.join(map(str, call.arguments))}, which snippets/labs/ lacks"
    if call.name not in ("claim", "measured", "setting", "figure", "run_it"):
        return
    if not call.arguments:
        yield f"{page.name} calls {call.name}() without an experiment"
        return
    try:
        experiment = facts.experiment(str(call.arguments[0]))
    except BookError as error:
        yield f"{page.name}: {error}"
        return
    if call.name != "run_it" and len(call.arguments) < 2:
        yield f'{page.name} calls {call.name}("{call.arguments[0]}") without saying which'
    elif call.name == "claim" and call.arguments[1] not in {claim.id for claim in experiment.claims}:
        ids = ", ".join(claim.id for claim in experiment.claims)
        yield f"{page.name} states claim '{call.arguments[1]}', which {experiment.name} does not make; it makes {ids}"
    elif call.name == "setting" and not has_setting(experiment, str(call.arguments[1])):
        yield f"{page.name} prints setting '{call.arguments[1]}', which the laptop preset of {experiment.name} lacks"
    elif call.name == "figure":
        alt, caption = (str(call.options.get(key, "")).strip() for key in ("alt", "caption"))
        if len(alt) < SHORTEST_ALT:
            yield (
                f"{page.name}: the alt text of figure '{call.arguments[1]}' has {len(alt)} characters; "
                f"name the axes and the trend in at least {SHORTEST_ALT}"
            )
        if not caption:
            yield f"{page.name}: figure '{call.arguments[1]}' has no caption; say what it shows and what it does not"


def has_setting(experiment: catalogue.Experiment, name: str) -> bool:
    try:
        experiment.setting(SHOWN_PRESET, name)
    except (KeyError, AttributeError):
        return False
    return True


def problems_of_results(name: str, facts: Facts) -> Iterator[str]:
    """What is wrong with the results of one experiment: missing, stale, cut, or a claim that fails."""
    try:
        results = facts.results(name)
    except BookError as error:
        yield str(error)
        return
    for claim in results["claims"]:
        if not claim["holds"]:
            yield (
                f"claim '{claim['id']}' of {name} fails: it holds on {sum(map(bool, claim['passed']))} of "
                f"{claim['applies']} seeds and needs {claim['needed']}; it says: {claim['says']}"
            )


def problems_of_figures(all_pages: list[pages.Page], facts: Facts) -> Iterator[str]:
    """Figures that a page names and nobody drew, and figures that are drawn and stand on no page."""
    for page in all_pages:
        for call in page.calls:
            if call.name == "measured" and len(call.arguments) > 1:
                yield from problem_of_number(page, call, facts)
    wanted = {(resolve(call.arguments[0], facts), call.arguments[1]): call for call in calls(all_pages, "figure")}
    for name in catalogue.discover():
        try:
            about = listed.read(name, SHOWN_PRESET, DEFAULT_SEEDS)
        except BookError as error:
            yield str(error)
            continue
        if about is None:
            yield f"{name} has no figures; run `make book`"
            continue
        drawn = about["figures"]
        for experiment, figure in wanted:
            if experiment == name and figure not in drawn:
                yield f"figure '{figure}' of {name} is named on a page but draw returns {', '.join(drawn)}"
        for figure in drawn:
            if (name, figure) not in wanted:
                yield f"figure '{figure}' of {name} is drawn but stands on no page; show it or do not draw it"


def problem_of_number(page: pages.Page, call: pages.Call, facts: Facts) -> Iterator[str]:
    try:
        results = facts.results(resolve(call.arguments[0], facts))
    except BookError:
        return  # said already
    if call.arguments[1] not in results["numbers"]:
        has = ", ".join(results["numbers"]) or "none"
        yield f"{page.name} prints '{call.arguments[1]}', which {call.arguments[0]} does not measure; it has {has}"
