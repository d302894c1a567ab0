"""A real language model at the book's questions: `python -m snippets live --model gpt2`."""
