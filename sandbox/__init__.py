"""A local AWS and a local Slack for Unlatch to live in. Never deployed, never imported by the bot."""
