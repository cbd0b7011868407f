"""IAM as AWS decides it: policies read, conditions tested, each call of the bot judged. Grants nothing itself."""
