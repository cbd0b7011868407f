"""Stands for AWS and Slack: answers at once, or at a set latency and within quotas. Never leaves this machine."""
