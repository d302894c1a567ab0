from snippets.book.cli import app, main
from snippets.live.command import live

app.command()(live)

if __name__ == "__main__":  # a worker imports this module too
    main()
