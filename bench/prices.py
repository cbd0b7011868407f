"""List prices of AWS in us-east-1, in US dollars a request or unit; each with the page to check it on.

Free tiers are left out. The pages were not read for this file: check them before relying on a sum.
"""

from __future__ import annotations

MILLION = 1_000_000

PRICES: dict[str, float] = {
    # aws.amazon.com/step-functions/pricing: Standard workflows, $0.025 per 1,000 state transitions
    "Step Functions: state transition": 0.025 / 1_000,
    # aws.amazon.com/kms/pricing: $0.03 per 10,000 requests, management calls taken to count as well
    "KMS: request": 0.03 / 10_000,
    # aws.amazon.com/lambda/pricing: $0.20 per million requests, $0.0000166667 a GB-second on x86
    "Lambda: request": 0.20 / MILLION,
    "Lambda: GB-second": 0.0000166667,
    # aws.amazon.com/dynamodb/pricing/on-demand, since November 2024: $0.625 and $0.125 per million
    "DynamoDB: write unit (1 kB)": 0.625 / MILLION,
    "DynamoDB: read unit (4 kB)": 0.125 / MILLION,
    # aws.amazon.com/secrets-manager/pricing: $0.05 per 10,000 calls
    "Secrets Manager: call": 0.05 / 10_000,
    # aws.amazon.com/api-gateway/pricing: REST APIs, $3.50 per million
    "API Gateway: request": 3.50 / MILLION,
    # aws.amazon.com/cloudwatch/pricing: GetMetricData $0.01 per 1,000 metrics; logs $0.50 a GB taken in
    "CloudWatch: metric read": 0.01 / 1_000,
    "CloudWatch: log line (1 kB)": 0.50 / MILLION,
    # aws.amazon.com/xray/pricing: $5.00 per million traces recorded
    "X-Ray: trace": 5.00 / MILLION,
}
ARM_GB_SECOND = 0.0000133334
"""aws.amazon.com/lambda/pricing, on Arm."""
FREE = "EventBridge (AWS's own events), STS, CloudHSM's, EC2's and CloudTrail's reads, the parameter of the brake"

MONTHLY: dict[str, float] = {
    # aws.amazon.com/kms/pricing: $1 a key
    "AWS::KMS::Key": 1.00,
    # aws.amazon.com/secrets-manager/pricing: $0.40 a secret
    "AWS::SecretsManager::Secret": 0.40,
    # aws.amazon.com/cloudwatch/pricing: $3 a dashboard, $0.10 a metric that an alarm looks at
    "AWS::CloudWatch::Dashboard": 3.00,
    "AWS::CloudWatch::Alarm": 0.10,
}
METRIC_A_MONTH = 0.30
"""aws.amazon.com/cloudwatch/pricing: each custom metric that has values in the month."""
