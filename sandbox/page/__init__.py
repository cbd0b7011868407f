"""The demo page: a local Slack in the browser beside the other half of the world."""
