"""A storm: every failed delete of a thousand clusters is delivered ten times over, in no order.

A tenth is delivered once more to functions that remember nothing. The reference writes as many items as there are clusters, each on a condition, to the same table.
Both go in slices, in turn. Reads `{"clusters", "deliveries", "slices"}`; writes CPU seconds a slice.
"""

# ruff: noqa: SLF001, S311, T201
# The environment is set before the app is imported; a program may look inside, and it prints.

import json
import os
import random
import sys
import time
from types import SimpleNamespace
from typing import Any

import boto3

from bench import inputs
from bench.stub.answers import Answers
from bench.stub.transport import Transport
from sandbox.reliability.table import MemoryTable

ARN = "arn:aws:lambda:us-east-1:111122223333:function:unlatch-dev-on_delete_blocked"
CONTEXT = SimpleNamespace(invoked_function_arn=ARN, aws_request_id="1", function_name="unlatch")
LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


def cluster_id(number: int) -> str:
    return "cluster-" + "".join(LETTERS[number >> shift & 31] for shift in range(50, -1, -5))


def main() -> None:
    asked = json.load(sys.stdin)
    os.environ |= inputs.settings("http://127.0.0.1:9")
    table = MemoryTable(inputs.TABLE)
    answers = Answers(table, inputs.SECRETS)
    transport = Transport(answers.aws, latency=0)
    import app
    from chalicelib import wiring
    from chalicelib.aws.session import own_session

    own_session(None).register("before-send", transport.send)
    session = boto3.Session()
    session.events.register("before-send", transport.send)
    puts = session.resource("dynamodb").Table(inputs.TABLE)
    app.on_delete_blocked(inputs.failed_delete("first", cluster_id(2**40)), CONTEXT)
    puts.put_item(Item={"pk": "FIRST", "sk": "FIRST"})

    storm = Storm(asked, puts, wiring.wired(CONTEXT).ports, app.on_delete_blocked)
    found = storm.slices()
    cases = sum(sk == "INBOX" for _, sk in table.items) - 1
    print()
    json.dump({**found, "cases": cases, "runs": len(answers.runs) - 1}, sys.stdout)


class Storm:
    def __init__(self, asked: dict[str, int], puts: Any, ports: Any, heard: Any) -> None:
        self.puts, self.ports, self.heard = puts, ports, heard
        self.clusters, self.count = asked["clusters"], asked["slices"]
        events = [
            inputs.failed_delete(f"event-{number}", cluster_id(number))
            for number in range(self.clusters)
        ]
        self.events = events * asked["deliveries"]
        random.Random(7).shuffle(self.events)

    def slices(self) -> dict[str, list[float]]:
        found: dict[str, list[float]] = {"events": [], "puts": [], "forgetful": []}
        size, some = len(self.events) // self.count, self.clusters // self.count
        for number in range(self.count):
            events = self.events[number * size : (number + 1) * size]
            began = time.process_time()
            for event in events:
                self.heard(event, CONTEXT)
            first = time.process_time()
            self._put(range(number * some, (number + 1) * some))
            second = time.process_time()
            self._deliver_to_strangers(events[: size // 10])
            found["events"].append(first - began)
            found["puts"].append(second - first)
            found["forgetful"].append(10 * (time.process_time() - second))
        return found

    def _put(self, numbers: range) -> None:
        for one in numbers:
            body = json.dumps(self.events[one]["detail"])
            item = {"pk": f"PUT#{one}", "sk": "PUT", "body": body}
            self.puts.put_item(Item=item, ConditionExpression="attribute_not_exists(pk)")

    def _deliver_to_strangers(self, events: list[Any]) -> None:
        """Each delivery meets a function that remembers nothing; ours remembers as before."""
        memories = (self.ports.cases._heard, self.ports.runs._started)
        kept = [memory.copy() for memory in memories]
        for event in events:
            for memory in memories:
                memory.clear()
            self.heard(event, CONTEXT)
        for memory, before in zip(memories, kept, strict=True):
            memory.update(before)


main()
