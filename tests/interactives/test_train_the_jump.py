"""The network that trains in the browser: the same step as in Python, a jump, and a word for all that can go wrong."""

import re
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from playwright.sync_api import expect

from snippets.abrupt_learning.jump import look
from snippets.book.pages import shown
from snippets.icl.networks.two_layer import TwoLayerNetwork
from snippets.icl.streams import streams
from snippets.icl.tasks.item_label import Batch, Task, World
from snippets.icl.training.to_the_jump import Training, new_network, train

pytestmark = [pytest.mark.results, pytest.mark.browser]

TASK = Task(n_pairs=4, d_item=16, n_slots=16)
SAME = {"pairs": 4, "labels": 32, "classes": 256, "items": 16, "slots": 16, "noise": 0.1, "novel": 0.8}
RATE, CLOSE = 0.3, 1e-4


def network_and_batch(n: int = 64) -> tuple[TwoLayerNetwork, Batch]:
    fixed, weights, data = streams(1000, 3)
    return TwoLayerNetwork(TASK.d_model, TASK.d_item, TASK.n_labels, 64, weights), World(TASK, fixed).novel(n, data)


def matrices(network: TwoLayerNetwork) -> dict[str, torch.Tensor]:
    """By the names of the browser."""
    found = {f"{name}{layer + 1}": getattr(network, name)[layer] for name in ("W_Q", "W_K", "W_V") for layer in (0, 1)}
    return found | {f"W_{i + 1}": W for i, W in enumerate(network.W_hidden)} | {"W_out": network.W_out}


def plain(network: TwoLayerNetwork, batch: Batch) -> dict[str, Any]:
    """What the browser is given."""
    weights = {name: [list(W.shape), W.detach().flatten().tolist()] for name, W in matrices(network).items()}
    told = {"tokens": batch.tokens.flatten().tolist(), "answer": batch.answer.tolist()}
    return {"weights": weights, "batch": told | {"place": batch.answer_shown.argmax(1).tolist()}, "task": SAME}


GIVEN = """await network.begin();
const { task } = given;
const weights = {}, { tokens, answer: right, place } = given.batch;
for (const [name, [shape, values]] of Object.entries(given.weights)) weights[name] = [shape, new Float32Array(values)];
const batch = { tokens: new Float32Array(tokens), answer: new Int32Array(right), place: new Int32Array(place) };
"""
STEP = f"""async (network, given) => {{ {GIVEN}
  const [x, answer] = network.given(task, batch);
  const [after, loss] = network.sgd(given.rate)(network.onDevice(weights), x, answer);
  const found = {{ loss: [...await loss.data()] }};
  for (const [name, W] of Object.entries(after)) found[name] = [...await W.data()];
  return found;
}}"""
LOOK = f"""async (network, given) => {{ {GIVEN}
  const {{ measures }} = await import("./jump_task.js");
  const seen = await network.looker()(network.onDevice(weights), network.tokensOf(task, batch));
  const found = measures(task, batch, seen.logits, seen.first, seen.second);
  for (const [name, values] of Object.entries(seen)) found[name] = [...values];
  return found;
}}"""


@pytest.fixture
def figure(mounted):
    return mounted("train_the_jump")


def test_the_forward_pass_and_its_measures_are_those_of_python(figure):
    network, batch = network_and_batch()
    found = figure.compute("jump_network", LOOK, plain(network, batch))
    with torch.no_grad():
        wanted = dict(zip(("logits", "first", "second"), network(batch.tokens)))
        measured = look(network, {"novel": batch})
    for name, values in wanted.items():
        np.testing.assert_allclose(found[name], values.flatten().numpy(), atol=CLOSE)
    names = {
        "accuracy": "accuracy_novel",
        "loss": "loss",
        "labelToItem": "label_to_item",
        "targetToLabel": "target_to_label",
    }
    assert {name: found[name] for name in names} == pytest.approx({n: measured[p] for n, p in names.items()}, abs=CLOSE)


def test_a_training_step_is_that_of_python(figure):
    network, batch = network_and_batch()
    found = figure.compute("jump_network", STEP, plain(network, batch) | {"rate": RATE})
    loss = F.cross_entropy(network(batch.tokens)[0], batch.answer)
    loss.backward()
    torch.optim.SGD(network.parameters(), RATE).step()
    assert found.pop("loss") == pytest.approx([loss.item()], abs=CLOSE)
    assert set(found) == set(matrices(network))
    for name, W in matrices(network).items():
        np.testing.assert_allclose(found[name], W.detach().flatten().numpy(), atol=CLOSE, err_msg=name)


def test_its_sequences_are_those_of_the_task(figure):
    script = """(module, given) => {
      const world = module.newWorld(given, module.randomStream(1, 0));
      const { tokens, answer, place } = module.draw(world, 500, 0, module.randomStream(1, 1));
      const all = { tokens, answer, place, means: world.means, labels: world.labels };
      return Object.fromEntries(Object.entries(all).map(([name, values]) => [name, [...values]]));
    }"""
    found = {name: np.array(values) for name, values in figure.compute("jump_task", script, SAME).items()}
    x, place = found["tokens"].reshape(500, 9, 32), found["place"].astype(int)
    means, labels, each = found["means"].reshape(256, 16), found["labels"].reshape(32, 16), np.arange(500)
    shift = x[:, 0, :16].argmax(1)
    assert (x[..., :16].sum(-1) == 1).all() and (x[..., :16].argmax(-1) == shift[:, None] + np.arange(9)).all()
    assert set(shift) == set(range(8)) and set(place) == set(range(4))
    items, shown_labels = x[:, ::2, 16:], x[:, 1::2, 16:]
    known = ((shown_labels[:, :, None] - labels) ** 2).sum(-1).argmin(-1)
    assert (np.sort(known, 1)[:, 1:] != np.sort(known, 1)[:, :-1]).all(), "labels of a context differ"
    assert (known[each, place] == found["answer"]).all()
    of_class = ((items[:, :, None] * 1.01**0.5 - means) ** 2).sum(-1)
    assert (of_class.argmin(-1)[:, :4] % 32 == known).all(), "class k has label k mod L"
    assert (of_class.argmin(-1)[:, 4] == of_class.argmin(-1)[each, place]).all()
    assert of_class.min(-1).mean() == pytest.approx(0.01, rel=0.1), "noise"


def test_it_trains_until_it_jumps(figure):
    """Some seconds of training on an idle core."""
    figure.page.get_by_role("button", name="Train").click()
    expect(figure.page.locator(".touch-note")).to_contain_text("It jumped", timeout=200_000)
    expect(figure.page.locator(".touch-pace")).to_contain_text("ms a step here")
    expect(figure.page.locator(".touch-note")).to_contain_text("is paused", timeout=100_000)
    assert 300 < step(figure) < 2500
    assert "an induction head" in figure.note
    heard = figure.page.locator("svg.touch-axes").first.get_attribute("aria-label") or ""
    accuracy, to_item, to_label = (float(v) for v in re.findall(r"0\.\d\d|1\.00", heard))
    assert accuracy > 0.85 and to_item > 0.5 and to_label > 0.7
    assert figure.errors == [] and figure.foreign(figure.page.url) == []


def step(figure) -> int:
    return int((figure.page.locator(".touch-pace").inner_text().split(".")[0]).removeprefix("Step ").replace(",", ""))


def trains(figure) -> None:
    figure.page.get_by_role("button", name="Train").click()
    expect(figure.page.locator(".touch-pace")).to_contain_text("Step", timeout=60_000)


def test_pause_reset_and_other_settings_by_key(figure):
    figure.page.get_by_label("pairs N").select_option("2")
    figure.page.get_by_role("button", name="Train").focus()
    figure.page.keyboard.press("Enter")
    expect(figure.page.locator(".touch-pace")).to_contain_text("Step", timeout=60_000)
    expect(figure.page.get_by_label("seed")).to_be_disabled()
    figure.page.keyboard.press("Enter")
    expect(figure.page.get_by_role("button", name="Go on")).to_be_visible()
    figure.page.wait_for_timeout(500)
    before = step(figure)
    figure.page.wait_for_timeout(1500)
    assert step(figure) == before, "a paused training goes on"
    figure.page.keyboard.press("Enter")
    expect(figure.page.locator(".touch-pace")).not_to_contain_text(f"Step {before}.", timeout=30_000)
    figure.page.get_by_role("button", name="Reset").click()
    expect(figure.page.get_by_label("seed")).to_be_enabled()
    assert figure.page.locator(".touch-pace").inner_text() == ""
    assert figure.page.locator("svg.touch-axes path[stroke-dasharray]").first.get_attribute("d") is None
    assert figure.errors == []


@pytest.mark.parametrize(
    ("label", "value", "said"),
    [
        ("seed", "", "The seed is not a number"),
        ("seed", "1.5", "whole number"),
        ("seed", "-3", "0 to 999999"),
        ("learning rate", "", "The learning rate is not a number"),
        ("learning rate", "0", "0.001 to 10"),
        ("learning rate", "1e9", "0.001 to 10"),
    ],
)
def test_settings_that_are_none_are_said_and_can_be_mended(figure, label, value, said):
    box = figure.page.get_by_label(label)
    box.fill(value)
    figure.page.get_by_role("button", name="Train").click()
    expect(figure.page.locator(".touch-note")).to_contain_text(said)
    box.fill("1")
    expect(figure.page.locator(".touch-note")).to_contain_text("tried")
    expect(figure.page.get_by_role("button", name="Train")).to_be_enabled()


def test_a_rate_that_blows_up_is_said_and_can_be_mended(figure):
    figure.page.get_by_label("learning rate").fill("10")
    expect(figure.page.locator(".touch-note")).to_contain_text("not tried")
    figure.page.get_by_role("button", name="Train").click()
    expect(figure.page.locator(".touch-note")).to_contain_text("learning rate 10 is too large", timeout=60_000)
    figure.page.get_by_label("learning rate").fill("0.3")
    trains(figure)


DEAD = {
    "throws": ("throw new Error('boom');", "boom"),
    "dies later": ("self.onmessage = () => setTimeout(() => { throw new Error('killed'); }, 50);", "killed"),
    "no memory": ("throw new RangeError('WebAssembly.Memory(): could not allocate memory');", "refused the memory"),
    "not allowed": ("self.postMessage({ kind: 'failed', why: 'WebAssembly.Module() is disallowed' });", "may not run"),
    "not there": ("", "did not start"),
}


@pytest.mark.parametrize("way", DEAD)
def test_a_worker_that_dies_is_said_and_another_can_begin(figure, way):
    body, said = DEAD[way]
    figure.page.context.route(
        "**/train_the_jump_worker.js",
        lambda route: route.fulfill(body=body, content_type="text/javascript") if body else route.abort(),
    )
    figure.page.get_by_role("button", name="Train").click()
    expect(figure.page.locator(".touch-note.touch-failed")).to_contain_text(said, timeout=20_000)
    figure.page.context.unroute("**/train_the_jump_worker.js")
    figure.page.get_by_role("button", name="Reset").click()
    trains(figure)


def test_a_worker_that_falls_silent_is_noticed(mounted):
    figure = mounted("train_the_jump")
    figure.page.context.route(
        "**/train_the_jump_worker.js",
        lambda route: route.fulfill(body="self.onmessage = () => {};", content_type="text/javascript"),
    )
    figure.page.evaluate("() => { const now = performance.now.bind(performance); performance.now = () => 60 * now(); }")
    figure.page.get_by_role("button", name="Train").click()
    expect(figure.page.locator(".touch-note.touch-failed")).to_contain_text("said nothing for 20 s")


def test_memory_refused_by_the_browser_is_said(figure):
    refuse = "WebAssembly.Memory = class { constructor() { throw new RangeError('could not allocate memory'); } };\n"
    script = (shown.INTERACTIVES / "train_the_jump_worker.js").read_text(encoding="utf-8")
    answers = {"refuse.js": refuse, "train_the_jump_worker.js": f'import "./refuse.js";\n{script}'}
    for name, body in answers.items():
        figure.page.context.route(
            f"**/{name}", lambda route, _, body=body: route.fulfill(body=body, content_type="text/javascript")
        )
    figure.page.get_by_role("button", name="Train").click()
    expect(figure.page.locator(".touch-note.touch-failed")).to_contain_text("refused the memory", timeout=20_000)


@pytest.mark.parametrize("lacking", ["WebAssembly", "Worker"])
def test_a_browser_that_cannot_says_so(mounted, lacking):
    figure = mounted("train_the_jump")
    again = f"""async () => {{
      delete window.{lacking};
      const place = document.querySelector(".touch-place");
      place.replaceChildren();
      await (await import("./train_the_jump.js")).mount(place);
    }}"""
    figure.page.evaluate(again)
    expect(figure.page.locator(".touch-note")).to_contain_text("no WebAssembly or no workers")
    assert figure.page.get_by_role("button").count() == 0


def test_memory_does_not_grow(figure):
    """An array that nobody uses up would stay: WebAssembly's memory is as large after 150 steps as after 30."""
    watch = """() => {
      const Memory = WebAssembly.Memory;
      window.made = [];
      WebAssembly.Memory = class extends Memory { constructor(...told) { super(...told); made.push(this); } };
    }"""
    figure.page.evaluate(watch)  # before the library is imported
    script = f"""async (network, given) => {{
      {GIVEN}
      const step = network.sgd(given.rate), see = network.looker(), sizes = [];
      let now = network.onDevice(weights), loss;
      for (let i = 1; i <= 150; i++) {{
        [now, loss] = step(now, ...network.given(task, batch));
        await loss.data();
        if (i % 10 === 0) await see(now, network.tokensOf(task, batch));
        if (i === 30 || i === 150) sizes.push(made.reduce((sum, memory) => sum + memory.buffer.byteLength, 0));
      }}
      return sizes;
    }}"""
    early, late = figure.compute("jump_network", script, plain(*network_and_batch()) | {"rate": RATE})
    assert early > 0 and late == early


def test_everyone_can_use_it(figure):
    trains(figure)
    assert figure.problems() == []


def test_what_it_says_of_settings_is_what_python_measures(figure):
    """The quickest row of the table, trained again."""
    steps = []
    for seed in (1000, 1001, 1002):
        config = Training(Task(n_pairs=2, d_item=16, n_slots=16), learning_rate=0.3, n_steps=600, n_test=256)
        fixed, weights, data, exam = streams(seed, 4)
        world, network = World(config.task, fixed), new_network(config, weights)
        test = {"novel": world.novel(256, exam)}
        steps.append(
            next(s for s in train(network, world, config, data) if look(network, test)["accuracy_novel"] >= 0.9)
        )
    assert figure.compute("train_the_jump", "(m) => m.TRIED['2 32 0.3']") == [min(steps), max(steps)]
    assert "none of three" in figure.compute("train_the_jump", "(m) => m.known({ pairs: 4, labels: 64, rate: 0.5 })")
    assert "sank" in figure.compute("train_the_jump", "(m) => m.known({ pairs: 4, labels: 32, rate: 0.5 })")
