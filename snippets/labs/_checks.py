"""What the checks of several labs share. It stands in each notebook: a lab needs nothing else of this book."""

import textwrap

import torch


def check(find_problem, *yours):
    """Print "correct", or what is wrong."""
    try:
        problem = find_problem(*yours)
    except NotImplementedError as error:
        problem = str(error)
    except Exception as error:
        problem = f"it raised {type(error).__name__}: {error}"
    print(textwrap.fill(f"not yet: {problem}" if problem else "correct", 80))


def problem_of_shapes(answer, **shapes):
    """Is the answer these tensors, in this order? None in a shape allows any size."""
    names = " and ".join(shapes)
    tensors = answer if isinstance(answer, tuple) else (answer,)
    if len(tensors) != len(shapes) or not all(map(torch.is_tensor, tensors)):
        return f"return {'the tensor' if len(shapes) == 1 else 'the tensors'} {names}"
    for tensor, (name, shape) in zip(tensors, shapes.items()):
        fits = len(tensor.shape) == len(shape) and all(
            wanted in (None, got) for got, wanted in zip(tensor.shape, shape)
        )
        if not fits:
            wanted = ", ".join("any" if size is None else str(size) for size in shape)
            return f"{name} has the shape {tuple(tensor.shape)}, not ({wanted})"
        if tensor.isnan().any():
            row = tensor.isnan().nonzero()[0][0].item() if tensor.ndim else 0
            return f"{name} has NaN, first in row {row}"
    return None
