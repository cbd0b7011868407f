"""What a case remembers, in one DynamoDB table."""
