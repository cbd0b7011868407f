"""What EventBridge brings to which function. infra/account.yaml forwards the same from other accounts."""

from __future__ import annotations

DELETE_FAILED = {
    "source": ["aws.cloudhsm"],
    "detail-type": ["AWS API Call via CloudTrail"],
    "detail": {
        "eventSource": ["cloudhsm.amazonaws.com"],
        "eventName": ["DeleteCluster"],
        "errorCode": ["CloudHsmClusterInUseException", "CloudHsmInvalidRequestException"],
    },
}
KEY_USE_FAILED = {
    "source": ["aws.kms"],
    "detail-type": ["AWS API Call via CloudTrail"],
    "detail": {
        "eventSource": ["kms.amazonaws.com"],
        "errorCode": ["DisabledException", "KMSInvalidStateException"],
        "eventName": [
            "Decrypt",
            "Encrypt",
            "GenerateDataKey",
            "GenerateDataKeyWithoutPlaintext",
            "ReEncrypt",
        ],
    },
}
KEY_STORE_REFUSED = {
    "source": ["aws.kms"],
    "detail-type": ["AWS API Call via CloudTrail"],
    "detail": {
        "eventSource": ["kms.amazonaws.com"],
        "eventName": ["CreateCustomKeyStore", "DeleteCustomKeyStore", "ConnectCustomKeyStore"],
        "errorCode": [
            "CloudHsmClusterInUseException",
            "CustomKeyStoreHasCMKsException",
            "CustomKeyStoreInvalidStateException",
            "CloudHsmClusterNotActiveException",
            "CloudHsmClusterInvalidConfigurationException",
        ],
    },
}
CUT_OFF = {
    "source": ["aws.cloudhsm"],
    "detail-type": ["AWS API Call via CloudTrail"],
    "detail": {
        "eventSource": ["cloudhsm.amazonaws.com"],
        "eventName": ["DeleteHsm", "DeleteCluster"],
        "errorCode": [{"exists": False}],
    },
}
LIVE_PROBE = {
    "source": ["aws.cloudhsm"],
    "detail-type": ["AWS API Call via CloudTrail"],
    "detail": {
        "eventSource": ["cloudhsm.amazonaws.com"],
        "eventName": ["DeleteCluster"],
        "errorCode": ["CloudHsmResourceNotFoundException", "CloudHsmResourceNotFound"],
        "requestParameters": {"clusterId": ["cluster-unlatchLiveProbe"]},
    },
}
"""The call of `unlatch doctor --live`, with CloudTrail's code in full or short: which is not documented."""
