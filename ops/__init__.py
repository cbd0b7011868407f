"""What an operator runs from a laptop: `python -m ops`. Decides nothing about cases; people do, in Slack."""
