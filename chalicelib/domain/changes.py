"""What differs from the world that a plan was approved on, and isn't explained by our own steps."""

from __future__ import annotations

from collections import Counter

from chalicelib.domain.approval import terms
from chalicelib.domain.case import Difference
from chalicelib.domain.pace import SETTLING
from chalicelib.domain.plan import KeyBasis, Operation, Remedy
from chalicelib.domain.remedies.scene import Scene, zone_of
from chalicelib.domain.snapshot import Key, KeyState, StoreState

CONNECTED = (StoreState.CONNECTED, StoreState.CONNECTING)


def changes(scene: Scene) -> tuple[Difference, ...]:
    """Every difference that matters, in words; () where the approved plan still fits the world."""
    return (*_store(scene), *_keys(scene), *_hsms(scene), *_terms(scene))


def _store(scene: Scene) -> list[Difference]:
    plan, snapshot, store = scene.plan, scene.snapshot, scene.store
    found = []
    holder = snapshot.holder
    if holder and holder.key_store_id != plan.key_store_id:
        found.append(
            Difference(f"Key store {holder.name}", "did not exist", "holds the cluster now")
        )
    if store is None:
        if plan.key_store_id and plan.remedy is not Remedy.RETIRE:
            found.append(Difference("Key store", "was there", "is gone"))
        return found
    moved_to = {plan.cluster_id, plan.target_cluster_id}
    if store.cluster_id not in moved_to:
        found.append(Difference(f"Key store {store.name}", "held this cluster", "holds another one"))
    return [*found, *_connection(scene)]


def _connection(scene: Scene) -> list[Difference]:
    """Somebody connected what we disconnected, or disconnected what must stay connected."""
    store, plan, case = scene.store, scene.plan, scene.case
    assert store is not None, "checked by the caller"
    target = store.key_store_id
    ours = [
        call
        for operation in (Operation.CONNECT_KEY_STORE, Operation.DISCONNECT_KEY_STORE)
        if (call := case.call(operation, target)) and call.plan_hash == plan.plan_hash
    ]
    last = max(ours, key=lambda call: call.at, default=None)
    what = f"Key store {store.name}"
    if last and scene.now - last.at < SETTLING:
        return []
    if last and last.operation is Operation.DISCONNECT_KEY_STORE:
        reconnects = Operation.CONNECT_KEY_STORE in {c.operation for c in plan.calls}
        if store.state in CONNECTED and case.did(last.operation, target):
            if not (reconnects and store.state is StoreState.CONNECTING):
                return [Difference(what, "disconnected by Unlatch", "connected again by somebody")]
        return []
    needs = plan.remedy is Remedy.RETIRE and any(k.is_live for k in scene.snapshot.keys)
    was = StoreState.CONNECTED if last else plan.basis.store_state
    if needs and was in CONNECTED and store.state not in (*CONNECTED, StoreState.FAILED):
        return [Difference(what, "connected", f"{store.state.value.lower()} by somebody")]
    return []


def _keys(scene: Scene) -> list[Difference]:
    basis = {key.key_id: key for key in scene.plan.basis.keys}
    found = []
    for key in scene.snapshot.keys:
        before = basis.get(key.key_id)
        if before is None:
            made = f", made {key.created_at:%d %b %H:%M} UTC" if key.created_at else ""
            found.append(Difference(key.name, "did not exist", f"new key{made}"))
        elif scene.plan.remedy is Remedy.RETIRE:
            found += _key(scene, before, key)
    return found


def _key(scene: Scene, before: KeyBasis, key: Key) -> list[Difference]:
    """Retire only: a key brought back, switched on or off by somebody, or used since."""
    case = scene.case
    if not key.is_live:
        return []
    if case.did(Operation.SCHEDULE_KEY_DELETION, key.key_id):
        if scene.just_did(Operation.SCHEDULE_KEY_DELETION, key.key_id):
            return []
        return [Difference(key.name, "deletion scheduled by Unlatch", "brought back by somebody")]
    if before.state is KeyState.PENDING_DELETION:
        return [Difference(key.name, "waiting for deletion", "brought back by somebody")]
    found = []
    expected = {before.state, KeyState.UNAVAILABLE}
    if before.state is KeyState.UNAVAILABLE:
        expected |= {KeyState.ENABLED, KeyState.DISABLED}
    if case.tried(Operation.DISABLE_KEY, key.key_id):
        expected = {KeyState.DISABLED, KeyState.UNAVAILABLE}
        if scene.just_did(Operation.DISABLE_KEY, key.key_id) or not case.did(
            Operation.DISABLE_KEY, key.key_id
        ):
            expected |= {before.state}
    if key.state not in expected:
        was = "Disabled by Unlatch" if case.did(Operation.DISABLE_KEY, key.key_id) else before.state
        found.append(Difference(key.name, str(was), f"{key.state} by somebody"))
    return [*found, *_use(before, key)]


def _use(before: KeyBasis, key: Key) -> list[Difference]:
    """A use since the approval matters, unless the approvers knew that the key is in use."""
    at, earlier = key.last_use.at, before.last_used_at
    if before.in_use or at is None or (earlier and at <= earlier):
        return []
    was = f"last used {earlier:%d %b %Y}" if earlier else "not used"
    return [Difference(key.name, was, f"used {at:%d %b, %H:%M} UTC")]


def _hsms(scene: Scene) -> list[Difference]:
    """More HSMs in a zone than planned and not yet deleted. AWS replaces HSMs: ids don't matter."""
    allowed = Counter(scene.plan.basis.zones)
    settling = Counter[str]()
    for label in scene.plan.names(Operation.DELETE_HSM):
        if scene.case.did(Operation.DELETE_HSM, label):
            allowed[zone_of(label)] -= 1
            if scene.just_did(Operation.DELETE_HSM, label):
                settling[zone_of(label)] += 1
    now = Counter(hsm.zone for hsm in scene.snapshot.live_hsms)
    return [
        Difference(f"HSMs in {zone}", str(allowed[zone]), str(count))
        for zone, count in sorted(now.items())
        if count > allowed[zone] + settling[zone]
    ]


def _terms(scene: Scene) -> list[Difference]:
    """The policy now asks for more than the approvals were given under."""
    agreed = scene.plan.terms
    wanted = terms(
        scene.plan.remedy,
        scene.snapshot,
        case=scene.case,
        policy=scene.policy,
        now=scene.now,
    )
    found = []
    if wanted.people > agreed.people:
        why = f" {wanted.reasons[-1]}" if wanted.reasons else ""
        found.append(Difference("People needed", str(agreed.people), f"{wanted.people}{why}"))
    if wanted.override and not agreed.override:
        found.append(Difference("Override", "not needed", "needed: something is in use"))
    if wanted.dry_run != agreed.dry_run:
        words = {True: "dry run", False: "for real"}
        found.append(Difference("Mode", words[agreed.dry_run], words[wanted.dry_run]))
    return found

