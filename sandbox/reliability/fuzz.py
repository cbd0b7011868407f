"""Feeds the bot odd events, Slack requests, headers and stored items. Nothing may break; the seed repeats a run."""

from __future__ import annotations

import random
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from chalice.test import Client

from chalicelib.aws.cloudtrail import NotOursError, failed_delete, key_uses
from chalicelib.aws.store import codec
from chalicelib.aws.store.body import BODY
from chalicelib.aws.store.inbox import INBOX, KINDS
from chalicelib.domain.decide import decide
from chalicelib.domain.rules.situation import Situation
from chalicelib.domain.state.case import Case
from chalicelib.failures import PermanentError
from chalicelib.flows.open_case import open_case
from chalicelib.slack.messages.render import render
from chalicelib.slack.people import SlackPeople
from chalicelib.slack.requests import UnreadableError, UnsignedError, parse, verify
from sandbox.reliability.corpus import CODES, DELETE, OWN, USE, Moment, button, dialog, life
from sandbox.reliability.mutate import Mutator, as_json
from sandbox.reliability.signing import signed
from sandbox.reliability.stand import APPROVERS, CLUSTER, POLICY, SECRET, Stand, bot, slack

SHARES = {"events": 0.3, "bodies": 0.35, "headers": 0.1, "items": 0.25}
BUTTONS = (
    *("retire", "release", "park", "repoint", "keep"),
    *("reject", "cancel", "undo", "refresh", "withdraw", "more"),
)


@dataclass
class Found:
    """What a run fed, and what broke: each kind of failure once, with what provoked it."""

    seed: int
    fed: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    broken: dict[str, str] = field(default_factory=dict)

    def note(self, kind: str, given: object, error: BaseException) -> None:
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = (
            f"{kind}: {type(error).__name__} at {last.filename.rpartition('/')[2]}:{last.lineno}"
        )
        self.broken.setdefault(where, f"{error!r:.200} given {given!r:.300}")


class Fuzz:
    """One run. `feed` plays so many of each kind."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.mutator = Mutator(self.chance)
        self.found = Found(seed)
        self.life = life()
        self.people = SlackPeople(slack, APPROVERS).fetch(APPROVERS)

    def feed(self, count: int) -> Found:
        with Client(bot()) as client:
            feeders: dict[str, Callable[[Client], None]] = {
                "events": lambda _: self._event(),
                "bodies": self._body,
                "headers": self._headers,
                "items": self._item,
            }
            for kind, share in SHARES.items():
                for _ in range(round(count * share)):
                    self.found.fed[kind] += 1
                    feeders[kind](client)
        return self.found

    def _event(self) -> None:
        """failed_delete and key_uses give a value or NotOursError; only a true failed delete opens a case."""
        event = self.mutator.spoiled(self.chance.choice((DELETE, DELETE, USE)))
        stand = Stand()
        try:
            key_uses(event, own_roles=())
        except NotOursError:
            pass
        except Exception as error:  # noqa: BLE001  # what breaks is what is looked for
            self.found.note("key_uses", event, error)
        try:
            opened = open_case(stand.ports, failed_delete(event, codes=CODES, own_roles=OWN))
        except NotOursError:
            self.found.answers["event refused"] += 1
        except Exception as error:  # noqa: BLE001  # what breaks is what is looked for
            self.found.note("failed_delete", event, error)
        else:
            self.found.answers["case opened" if opened else "account not served"] += 1
            if not _is_failed_delete(event):
                self.found.broken.setdefault("a case from an invalid event", f"{event!r:.300}")

    def _body(self, client: Client) -> None:
        """Signed rubbish: 200 or 400, never a 5xx; parse gives a value or Unreadable."""
        moment = self.chance.choice(self.life)
        typed = self.chance.random() < 0.3
        moment = self.life[0] if typed else moment
        payload = self._typed(moment) if typed else self.mutator.spoiled(self._payload(moment))
        form = {"payload": as_json(payload)}
        if self.chance.random() < 0.1:
            form = self.mutator.spoiled({**form, "user_id": "alice"})
        raw = _encoded(form)
        if self.chance.random() < 0.15:
            raw = self.mutator.raw(raw)
        try:
            parse(raw)
        except UnreadableError:
            self.found.answers["unreadable"] += 1
        except Exception as error:  # noqa: BLE001  # what breaks is what is looked for
            self.found.note("parse", raw, error)
        self._post(client, moment, raw, signed(raw, SECRET))

    def _typed(self, moment: Moment) -> dict[str, Any]:
        """A dialog in order but for what was typed or chosen in one field."""
        payload = self._payload(moment, dialogs=True)
        values = payload["view"]["state"]["values"]
        block = self.chance.choice(sorted(values))
        values[block] = {block: {"value": self.mutator.odd(), "type": "plain_text_input"}}
        return payload

    def _payload(self, moment: Moment, *, dialogs: bool = False) -> dict[str, Any]:
        by = self.chance.choice((*APPROVERS, "mallory"))
        if not dialogs and self.chance.random() < 0.5:
            return button(moment.case_id, self.chance.choice(BUTTONS), by)
        case = moment.case
        plans = [(str(plan.remedy), plan.plan_hash) for plan in case.offers] or [("retire", "")]
        return dialog(moment.case_id, *self.chance.choice(plans), by)

    def _headers(self, client: Client) -> None:
        """Spoiled signatures and timestamps: 401, or 200 if they still hold."""
        moment = self.chance.choice(self.life)
        raw = _encoded({"payload": as_json(self._payload(moment))})
        spoiled = self.mutator.spoiled(signed(raw, SECRET))
        headers = {str(k): str(v) for k, v in spoiled.items()} if isinstance(spoiled, dict) else {}
        lowered = {k.lower(): v for k, v in headers.items()}
        try:
            verify(raw, lowered, secret=SECRET, now=datetime.now().astimezone())
        except UnsignedError:
            self.found.answers["unsigned"] += 1
        except Exception as error:  # noqa: BLE001  # what breaks is what is looked for
            self.found.note("verify", headers, error)
        self._post(client, moment, raw, headers)

    def _post(self, client: Client, moment: Moment, raw: bytes, headers: dict[str, str]) -> None:
        stand = Stand()
        stand.table.items = dict(moment.items)
        with stand.in_app():
            try:
                answer = client.http.post("/slack/interactions", headers=headers, body=raw)
            except UnicodeError:
                self.found.answers["no text, so no request"] += 1
                return
            except Exception as error:  # noqa: BLE001  # what breaks is what is looked for
                self.found.note("route", raw, error)
                return
        self.found.answers[f"HTTP {answer.status_code}"] += 1
        if answer.status_code >= 500:
            where = f"route: HTTP {answer.status_code}"
            self.found.broken.setdefault(where, f"{answer.body!r:.200} given {raw!r:.400}")

    def _item(self, client: Client) -> None:
        """A stored case, a little off: it loads or says that it can't; then decide, render, a click."""
        moment = self.chance.choice(self.life)
        stand, name = Stand(), (f"CASE#{moment.case_id}", self.chance.choice((BODY, INBOX)))
        items = dict(moment.items)
        items[name] = self._odd_item(items[name])
        stand.table.items = items
        try:
            case = stand.cases.load(moment.case_id)
        except (PermanentError, KeyError):
            self.found.answers["item refused"] += 1
        except Exception as error:  # noqa: BLE001  # what breaks is what is looked for
            self.found.note("load", items[name], error)
        else:
            self.found.answers["item loaded"] += 1
            self._decided(case, items[name])
        spoiled = Moment(items, moment.world, moment.case_id)
        raw = _encoded({"payload": as_json(self._payload(moment))})
        self._post(client, spoiled, raw, signed(raw, SECRET))

    def _odd_item(self, item: dict[str, Any]) -> dict[str, Any]:
        if self.chance.random() < 0.2:
            spoiled = self.mutator.spoiled(item)
            rest = spoiled if isinstance(spoiled, dict) else {}
            return {**rest, "pk": item["pk"], "sk": item["sk"]}
        if "body" not in item:
            return self._odd_inbox(item)
        body = self.mutator.spoiled(codec.unpack(item["body"]))
        body = (
            {**body, "schema": self.chance.choice((1, 1, 1, 2, 99))}
            if isinstance(body, dict)
            else {}
        )
        return {**item, "body": as_json(body)}

    def _odd_inbox(self, item: dict[str, Any]) -> dict[str, Any]:
        """An entry that somebody has added, or the first one in another form."""
        entry = self.chance.choice(("", "bm8=", "bm8= {}", f"bm8= {as_json(self.mutator.odd())}"))
        kind = self.chance.choice((*KINDS, "first"))
        return {**item, kind: entry if kind == "first" else [*item[kind], entry]}

    def _decided(self, case: Case, item: object) -> None:
        world = self.chance.choice(self.life).world
        now = world.at + timedelta(minutes=self.chance.randrange(5_000))
        try:
            decided = decide(Situation(case, world, self.people, POLICY, now))
            render(decided.case, policy=POLICY, now=now, version=1)
            render(case, policy=POLICY, now=now, version=1)
        except Exception as error:  # noqa: BLE001  # what breaks is what is looked for
            self.found.note("decide or render", item, error)


def _encoded(form: Any) -> bytes:
    fields = form if isinstance(form, dict) else {"payload": form}
    return urlencode({k: str(v) for k, v in fields.items()}, errors="replace").encode()


def _is_failed_delete(event: dict[str, Any]) -> bool:
    """Said once more in other words: what a failed DeleteCluster of a cluster looks like."""
    detail = event["detail"]
    name = detail["requestParameters"]["clusterId"]
    return (
        detail["eventName"] == "DeleteCluster"
        and detail.get("eventSource", "cloudhsm.amazonaws.com") == "cloudhsm.amazonaws.com"
        and {detail["errorCode"], f"{detail['errorCode']}Exception"} & set(CODES) != set()
        and isinstance(name, str)
        and name.startswith("cluster-")
        and name.isascii()
        and len(name) in range(len(CLUSTER), len("cluster-") + 17)
    )
