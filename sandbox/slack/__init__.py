"""A local Slack for the sandbox: Web API, modals and signed interactions. Never deployed."""
