"""The edge to Slack: requests in, messages out."""
