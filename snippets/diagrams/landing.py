"""What in-context learning is, in one picture that draws itself: one network, two prompts, two answers."""

from snippets.diagrams.vocabulary import Drawing


def one_network() -> Drawing:
    drawing = Drawing(height=250)
    drawing.box(150, 125, 190, 46, "head", round=8)
    drawing.text(150, 117, "one trained network", "strong")
    drawing.text(150, 134, "its weights stay as they are", "faint")
    prompts = (
        (20, 60, "red", "blue", 1),
        (230, 190, "blue", "red", 3),
    )
    for top, out, dax, wug, step in prompts:
        drawing.step(step)
        for x, word in (
            (33, "a dax is"),
            (89, dax),
            (147, "a wug is"),
            (203, wug),
            (294, "a dax is ?"),
        ):
            part = {"red": "position", "blue": "content"}.get(word)
            drawing.token(
                x, top, word, width=92 if "?" in word else 62 if " " in word else 42
            )
            if part:
                drawing.box(x, top, 42, 24, part, round=12)
                drawing.text(x, top, word, "on-colour")
        inward = 14 if top < 125 else -14
        drawing.arrow(120, top + inward, 120, 125 - 1.6 * inward, "read")
        drawing.step(step + 1)
        drawing.arrow(
            224, 125 - 1.6 * inward, 262, out + (4 if top < 125 else -4), "write"
        )
        drawing.box(
            290, out, 46, 24, "position" if dax == "red" else "content", round=12
        )
        drawing.text(290, out, dax, "on-colour")
    return drawing


DIAGRAMS = {"one-network": one_network}
