"""For servers that want an application: ``flask run``, ``gunicorn app:app``."""

from newsletter.web import create_app

app = create_app()
