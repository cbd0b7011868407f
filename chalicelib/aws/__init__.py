"""The edge to AWS: boto3 calls in, domain values out."""
