"""What Unlatch does, a file a verb. Each takes Ports and values; knows neither boto3 nor Slack."""
