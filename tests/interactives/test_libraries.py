"""What a figure to touch brings along from node_modules."""

from snippets.book.pages import shown


def test_a_library_lies_beside_the_scripts_that_import_it_with_its_licence():
    figure = shown.interactive("train_the_jump")
    assert "jax/index.js" in figure.libraries
    assert "MIT License" in figure.libraries["jax/LICENSE"].read_text(encoding="utf-8")
    assert {"train_the_jump_worker.js", "jump_network.js", "shared.js"} <= {path.name for path in figure.scripts}


def test_a_figure_without_a_library_brings_none():
    assert shown.interactive("attention_explorer").libraries == {}
