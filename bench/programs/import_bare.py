"""What the bare app loads."""

from bench.programs import bare_app

assert bare_app.app
