"""A whole reply of each operation that the code calls, as AWS writes it on the wire."""

from __future__ import annotations

CLUSTER = '{"ClusterId": "cluster-2a3b4c5d6e7", "State": "ACTIVE", "Hsms": [{"HsmId": "hsm-a"}]}'
BACKUP = '{"BackupId": "backup-a", "BackupState": "READY"}'
XML = 'xmlns="http://aws.amazon.com/doc/x/"'
REPLIES: dict[str, dict[str, str]] = {
    "kms": {
        "CancelKeyDeletion": '{"KeyId": "key-1"}',
        "ConnectCustomKeyStore": "{}",
        "DeleteCustomKeyStore": "{}",
        "DescribeCustomKeyStores": '{"CustomKeyStores": [{"CustomKeyStoreId": "cks-1"}], "Truncated": false}',
        "DescribeKey": '{"KeyMetadata": {"KeyId": "key-1", "KeyState": "Enabled"}}',
        "DisableKey": "",
        "DisconnectCustomKeyStore": "{}",
        "EnableKey": "",
        "GenerateDataKeyWithoutPlaintext": '{"CiphertextBlob": "AAAA", "KeyId": "key-1"}',
        "GenerateMac": '{"Mac": "AAAA", "KeyId": "key-1"}',
        "GetKeyLastUsage": '{"KeyId": "key-1", "KeyLastUsage": {}, "TrackingStartDate": 1.0}',
        "ListAliases": '{"Aliases": [{"AliasName": "alias/a"}], "Truncated": false}',
        "ListGrants": '{"Grants": [{"GrantId": "g"}], "Truncated": false}',
        "ListKeys": '{"Keys": [{"KeyId": "key-1"}, {"KeyId": "key-2"}], "NextMarker": "m", "Truncated": true}',
        "ListResourceTags": '{"Tags": [{"TagKey": "owner", "TagValue": "a"}], "Truncated": false}',
        "ScheduleKeyDeletion": '{"KeyId": "key-1", "DeletionDate": 1.0}',
        "UpdateCustomKeyStore": "{}",
        "VerifyMac": '{"KeyId": "key-1", "MacValid": true}',
    },
    "cloudhsmv2": {
        "CreateCluster": '{"Cluster": {"ClusterId": "cluster-a"}}',
        "RestoreBackup": '{"Backup": {"BackupId": "backup-a"}}',
        "CreateHsm": '{"Hsm": {"HsmId": "hsm-a"}}',
        "DeleteCluster": f'{{"Cluster": {CLUSTER}}}',
        "DeleteHsm": '{"HsmId": "hsm-a"}',
        "DescribeBackups": f'{{"Backups": [{BACKUP}]}}',
        "DescribeClusters": f'{{"Clusters": [{CLUSTER}]}}',
        "ModifyBackupAttributes": f'{{"Backup": {BACKUP}}}',
    },
    "ec2": {
        "DescribeNetworkInterfaces": f"<DescribeNetworkInterfacesResponse {XML}><networkInterfaceSet><item>"
        "<networkInterfaceId>eni-1</networkInterfaceId></item></networkInterfaceSet></DescribeNetworkInterfacesResponse>",
        "DescribeSubnets": f"<DescribeSubnetsResponse {XML}><subnetSet><item><subnetId>subnet-1</subnetId>"
        "</item></subnetSet></DescribeSubnetsResponse>",
    },
    "cloudwatch": {"GetMetricData": '{"MetricDataResults": [{"Id": "hsm0", "Values": [1.0]}]}'},
    "cloudtrail": {"LookupEvents": '{"Events": [{"EventId": "e", "CloudTrailEvent": "{}"}]}'},
    "sts": {
        "AssumeRole": f"<AssumeRoleResponse {XML}><AssumeRoleResult><Credentials><AccessKeyId>A</AccessKeyId>"
        "<SecretAccessKey>S</SecretAccessKey><SessionToken>T</SessionToken><Expiration>2026-03-02T09:00:00Z"
        "</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>",
    },
    "ssm": {"GetParameter": '{"Parameter": {"Name": "n", "Value": "off"}}'},
    "secretsmanager": {"GetSecretValue": '{"Name": "n", "SecretString": "s"}'},
    "dynamodb": {
        "GetItem": '{"ConsumedCapacity": {"TableName": "t", "CapacityUnits": 1.0}, "Item": {"pk": {"S": "a"}}}',
        "PutItem": "{}",
        "Query": '{"Items": [{"pk": {"S": "a"}}], "Count": 1, "ScannedCount": 1}',
        "Scan": '{"Items": [{"pk": {"S": "a"}}], "Count": 1, "ScannedCount": 1}',
        "TransactWriteItems": "{}",
        "UpdateItem": '{"Attributes": {"pk": {"S": "a"}}}',
    },
    "stepfunctions": {
        "DescribeExecution": '{"executionArn": "e", "stateMachineArn": "m", "status": "RUNNING", "startDate": 1.0}',
        "GetExecutionHistory": '{"events": [{"id": 1, "type": "TaskStateExited", "timestamp": 1.0}]}',
        "SendTaskSuccess": "{}",
        "StartExecution": '{"executionArn": "e", "startDate": 1.0}',
    },
}
