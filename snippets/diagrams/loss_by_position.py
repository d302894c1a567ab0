"""The diagrams of the chapter *loss by position*."""

import numpy as np

from snippets.diagrams.vocabulary import Drawing

FACES = (3, 3, 5, 3, 1, 3)  # what came up
N_FACES, LOADING = 6, 0.5  # as in the experiment
CELL = 38.0


def guesses() -> Drawing:
    """The best guess before each of six throws, what came up, and what that cost."""
    seen = np.cumsum(np.eye(N_FACES)[np.array((0, *FACES[:-1])) - 1], 0)
    seen -= seen[0]  # nothing before the first throw
    guess = (seen + LOADING) / (seen + LOADING).sum(1, keepdims=True)  # (throw, face)
    left, top, places = 84.0, 50.0, np.arange(len(FACES))
    d = Drawing(height=356)
    d.text(left + 3 * CELL, 12, "the best guess before throw", "faint")
    d.cells(left, top, guess.T, size=CELL)
    for face in range(N_FACES):
        d.text(left - 8, top + CELL * (face + 0.5), f"face {face + 1}", anchor="end")
    below = top + CELL * N_FACES
    for place, face, chance in zip(places, FACES, guess[places, np.array(FACES) - 1]):
        x = left + CELL * (place + 0.5)
        d.text(x, 34, str(place + 1), "strong")
        d.box(x, top + CELL * (face - 0.5), CELL - 3, CELL - 3, "asked frame")
        d.token(x, below + 22, str(face), "answer")
        d.text(x, below + 54, f"{-np.log(chance):.2f}")
    d.text(left - 8, below + 22, "came up", anchor="end")
    d.text(left - 8, below + 54, "loss, nats", anchor="end")
    return d


DIAGRAMS = {"guesses": guesses}
