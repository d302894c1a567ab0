"""The diagrams of one gradient step: two ways to one number, and a layer's mirror image."""

from snippets.diagrams.vocabulary import Drawing


def routes() -> Drawing:
    """Descend, then predict; or read the tokens through one layer. The same number comes out."""
    d = Drawing(height=196)
    d.token(62, 98, "(1, 2)  (3, 6)", width=112)
    d.text(48, 76, "examples", "faint")
    d.text(44, 122, "query 2", "faint")
    d.arrow(92, 80, 130, 50)
    d.arrow(92, 116, 130, 146)
    d.text(206, 12, "train on the examples", "faint")
    d.mlp(206, 42, "one step of SGD")
    d.text(206, 66, "w: 0 → 1")
    d.text(206, 132, "or train nothing", "faint")
    d.head(206, 158, "one attention layer")
    d.text(206, 182, "weights fixed beforehand", "faint")
    d.arrow(270, 48, 308, 82, "write")
    d.arrow(270, 144, 308, 114, "write")
    d.token(318, 98, "2", "answer", width=36)
    return d


def way(d: Drawing, middle: float, title: str, key: int, ends: tuple[str, str]) -> None:
    """An example (x, y) above, the query (x, ?) below; the key reads one entry, the value the other."""
    d.text(middle, 12, title, "strong")
    places = (middle - 40, middle + 40)
    for x, part, name in zip(places, ("content", "label"), ("x", "y")):
        d.box(x, 62, 44, 22, part, round=3)
        d.text(x, 62, name, "on-colour")
    d.text(places[key], 40, "key", "read")
    d.text(places[1 - key], 40, "value", "write")
    d.box(places[0], 142, 44, 22, "content", round=3)
    d.text(places[0], 142, "x", "on-colour")
    d.box(places[1], 142, 44, 22, "asked", round=3)
    d.text(places[1], 142, "?")
    d.arrow(places[0], 130, places[key], 75, "read")
    d.arrow(places[1 - key], 75, places[1], 129, "write")
    d.text(middle, 172, ends[0])
    d.text(middle, 190, ends[1], "faint")


def mirror() -> Drawing:
    d = Drawing(height=202)
    way(d, 88, "the step", 0, ("x finds x, y is added", "all directions at once"))
    way(
        d, 256, "its mirror image", 1, ("x finds y, x is added", "one direction a head")
    )
    return d


DIAGRAMS = {"routes": routes, "mirror": mirror}
