"""Networks side by side: each is trained as it would be alone, and decay shrinks it."""

import pytest
import torch
import torch.nn.functional as F

from snippets.icl.streams import streams
from snippets.icl.tasks.item_label import World
from snippets.icl.training.held_back import all_of, copies, one_of, train_held_back
from snippets.icl.training.to_the_jump import Training, new_classes, new_network

CONFIG = Training(new_classes(2, 4, 8), width=8, batch=4)
HOW = {"n_steps": 30, "batch": 4, "learning_rate": 0.3, "look_every": 10}


def made():
    fixed, first, data = streams(1000, 3)
    return World(CONFIG.task, fixed), new_network(CONFIG, first), data


def test_each_copy_is_trained_as_it_would_be_alone():
    """Against torch's own SGD with weight decay, on the same batches."""
    world, network, data = made()
    weights = copies(network, 3)
    looks = list(train_held_back(network, weights, (0.0, 0.01, 0.1), world, data, **HOW))
    assert looks == [0, 10, 20, 30]

    world, network, data = made()
    optimizer = torch.optim.SGD(network.parameters(), 0.3, weight_decay=0.01)
    for step in range(30):
        if step % 25 == 0:
            block = world.train(100, data)
        part = slice(4 * (step % 25), 4 * (step % 25) + 4)
        loss = F.cross_entropy(network(block.tokens[part])[0], block.answer[part])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    for name, w in network.named_parameters():
        torch.testing.assert_close(one_of(weights, 1)[name], w.detach(), atol=1e-5, rtol=1e-4)


def test_copies_say_what_the_network_says_and_differ_only_by_their_decay():
    world, network, data = made()
    tokens = world.novel(3, data).tokens
    weights = copies(network, 2)
    together, alone = all_of(network, weights, tokens), network(tokens)
    for many, one in zip(together, alone, strict=True):
        torch.testing.assert_close(many[1], one)
    for _ in train_held_back(network, weights, (0.05, 0.05), world, data, **HOW):
        pass
    assert all(torch.allclose(w[0], w[1]) for w in weights.values())


def test_a_decay_below_zero_is_refused():
    world, network, data = made()
    with pytest.raises(ValueError, match=r"decays = .*none below 0"):
        next(train_held_back(network, copies(network, 1), (-0.1,), world, data, **HOW))
