"""What loads at a deployment of Unlatch before anything is used."""

import app

assert app.app
