"""The bot's code, deployed with app.py. Imports point down: wiring → flows → aws | slack → ports → domain."""
