"""What an operator runs from a laptop: `unlatch`. Decides nothing about cases; people do, in Slack."""
