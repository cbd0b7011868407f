"""The bot's code, deployed with app.py. Imports point down: wiring → flows → aws | slack → ports → domain."""

__version__ = "0.1.0"
