// Walks through the sandbox's AWS with the AWS SDK for JavaScript; prints one JSON list of what came.
// Reads calls from standard input: [{"service": "kms", "call": "DescribeKey", "params": {…}}, …].
import * as kms from "@aws-sdk/client-kms";
import * as cloudhsm from "@aws-sdk/client-cloudhsm-v2";
import * as cloudtrail from "@aws-sdk/client-cloudtrail";

// The environment is enough for newer clients; older ones have to be told where AWS is.
const options = { maxAttempts: 1, endpoint: process.env.AWS_ENDPOINT_URL };
const sdks = { kms, cloudhsm, cloudtrail };
const clients = {
  kms: new kms.KMSClient(options),
  cloudhsm: new cloudhsm.CloudHSMV2Client(options),
  cloudtrail: new cloudtrail.CloudTrailClient(options),
};

let text = "";
for await (const chunk of process.stdin) text += chunk;
const told = [];
for (const { service, call, params } of JSON.parse(text)) {
  try {
    const { $metadata, ...result } = await clients[service].send(new sdks[service][`${call}Command`](params));
    told.push({ call, status: $metadata.httpStatusCode, result });
  } catch (error) {
    // A class of the SDK's own shows that its model knows the error.
    const known = typeof sdks[service][error.name] === "function";
    told.push({ call, status: error.$metadata?.httpStatusCode, error: error.name, known });
  }
}
console.log(JSON.stringify(told));
