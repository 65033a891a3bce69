"""An OPC UA client that we did not write (asyncua), against the station as a server.

    opcua_client.py URL DATA_FOLDER STATION

Prints one line of JSON with all that it saw; after a line on stdin, when the station has been restarted, one more.
"""

import asyncio
import json
import os
import sys
from datetime import datetime, timezone
from pathlib import Path

from asyncua import Client, ua
from asyncua.crypto import security_policies
from asyncua.crypto.cert_gen import setup_self_signed_certificate
from cryptography.x509.oid import ExtendedKeyUsageOID

URL, DATA, STATION = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
FOLDER = DATA.parent
NAMESPACE = "urn:heatstation:station:1"
SUPPLY = "circuit.low-zone.secondary_supply.temperature"
SHIFT = "circuit.low-zone/Wish.SupplyShift"
POLICIES = {
    "basic256sha256": security_policies.SecurityPolicyBasic256Sha256,
    "aes128": security_policies.SecurityPolicyAes128Sha256RsaOaep,
    "aes256": security_policies.SecurityPolicyAes256Sha256RsaPss,
}


async def certificate(name):
    uri = f"urn:heatstation-test:{name}"
    key, cert = FOLDER / f"{name}.pem", FOLDER / f"{name}.der"
    if not cert.exists():
        usage = [ExtendedKeyUsageOID.CLIENT_AUTH]
        await setup_self_signed_certificate(key, cert, uri, "localhost", usage, {"commonName": name})
    return uri, cert, key


async def client(user, password, name="scada", policy="basic256sha256"):
    uri, cert, key = await certificate(name)
    made = Client(URL, timeout=20)
    made.application_uri = uri
    made.set_user(user)
    made.set_password(password)
    await made.set_security(POLICIES[policy], certificate=str(cert), private_key=str(key))
    return made


def operator(policy="basic256sha256"):
    return client("scada", "operate-operate", policy=policy)


async def why(attempt):
    """The name of the status code that an attempt ends with."""
    try:
        await attempt
    except ua.UaStatusCodeError as error:
        return ua.status_codes.get_name_and_doc(error.code)[0]
    except Exception as error:  # what the library says when it gives up by itself
        return type(error).__name__
    return "Good"


async def visit(made):
    async with made:
        await made.nodes.server.read_browse_name()


def trust(name):
    """What a person does with `heatstation pki trust`: the rejected certificate is moved."""
    moved = 0
    for path in (DATA / "pki/rejected").glob(f"*{name}*.der"):
        os.rename(path, DATA / "pki/trusted" / path.name)
        moved += 1
    return moved


async def unencrypted():
    seen = {}
    made = Client(URL, timeout=20)
    seen["endpoints"] = sorted({
        f"{e.SecurityPolicyUri.rsplit('#')[-1]} {e.SecurityMode.name}" for e in await made.connect_and_get_server_endpoints()
    })
    seen["anonymous"] = await why(visit(made))
    return seen


async def refused():
    seen = {"unknown_certificate": await why(visit(await operator()))}
    seen["moved"] = trust("scada")
    seen["other_certificate"] = await why(visit(await client("scada", "operate-operate", name="stranger")))
    seen["wrong_password"] = await why(visit(await client("scada", "wrong-wrong-wrong")))
    seen["wrong_name"] = await why(visit(await client("nobody", "operate-operate")))
    anonymous = await operator()
    anonymous._username = None
    seen["anonymous_with_certificate"] = await why(visit(anonymous))
    return seen


def node(made, index, name):
    return made.get_node(ua.NodeId(f"{STATION}/{name}", index))


async def described(variable):
    properties = {}
    for child in await variable.get_properties():
        value = await child.read_value()
        name = (await child.read_browse_name()).Name
        properties[name] = [value.Low, value.High] if isinstance(value, ua.Range) else getattr(value, "UnitId", str(value))
    value_of = ua.ReadValueId()
    value_of.NodeId, value_of.AttributeId = variable.nodeid, ua.AttributeIds.Value
    asked = ua.ReadParameters()
    asked.TimestampsToReturn, asked.NodesToRead = ua.TimestampsToReturn.Both, [value_of]
    [value] = await variable.session.read(asked)
    now = datetime.now(timezone.utc).replace(tzinfo=None)
    server = value.ServerTimestamp.replace(tzinfo=None)
    return {
        "id": variable.nodeid.Identifier,
        "type": (await variable.read_type_definition()).Identifier,
        "value": value.Value.Value if value.Value else None,
        "status": value.StatusCode.name,
        "source_time": value.SourceTimestamp.isoformat() if value.SourceTimestamp else None,
        "server_age_seconds": (now - server).total_seconds(),
        "properties": properties,
    }


async def status_of(made, index, name):
    return (await described(node(made, index, name)))["status"]


async def browse(made, index):
    stations = await made.nodes.objects.get_child([f"{index}:Stations"])
    station = await stations.get_child([f"{index}:{STATION}"])
    circuit = await station.get_child([f"{index}:low-zone"])
    ids = [child.nodeid.Identifier for child in await circuit.get_children()]
    supply = await circuit.get_child([f"{index}:secondary_supply.temperature"])
    switch = await circuit.get_child([f"{index}:valve.fault"])
    return {
        "ids": sorted(ids),
        "supply": await described(supply),
        "switch": await described(switch),
        "unwired": await status_of(made, index, "circuit.low-zone.building.b1.return_temperature_before_lock"),
        "setpoint": await described(node(made, index, "circuit.low-zone/Setpoint.Supply")),
        "mode": await node(made, index, "circuit.low-zone/Operation.Mode").read_value(),
        "reason": await node(made, index, "circuit.low-zone/Operation.Reason").read_value(),
        "command": await described(node(made, index, "circuit.low-zone.valve.position")),
    }


class Changes:
    def __init__(self):
        self.values, self.events = [], []

    def datachange_notification(self, _, value, __):
        self.values.append(value)

    def event_notification(self, event):
        self.events.append({
            "message": event.Message.Text,
            "severity": event.Severity,
            "alarm": event.AlarmId,
            "active": event.Active,
            "acknowledged": event.Acknowledged,
            "source": event.SourceName,
        })


async def until(said, seconds=20):
    for _ in range(int(seconds / 0.1)):
        if said():
            return True
        await asyncio.sleep(0.1)
    return False


async def write(variable, value):
    return await why(variable.write_value(value))


async def writes(made, index):
    shift = node(made, index, SHIFT)
    seen = {
        "range": [(await (await shift.get_child(["0:EURange"])).read_value()).Low],
        "too_much": await write(shift, ua.Variant(-50.0, ua.VariantType.Double)),
        "not_a_number": await write(shift, ua.Variant(float("nan"), ua.VariantType.Double)),
        "a_text": await write(shift, ua.Variant("2", ua.VariantType.String)),
        "a_measurement": await write(node(made, index, SUPPLY), ua.Variant(50.0, ua.VariantType.Double)),
        "an_output": await write(node(made, index, "circuit.low-zone.valve.position"), ua.Variant(50.0, ua.VariantType.Double)),
        "within": await write(shift, ua.Variant(-2.0, ua.VariantType.Double)),
    }
    for _ in range(100):
        seen["in_force"] = await shift.read_value()
        if seen["in_force"] == -2.0:
            break
        await asyncio.sleep(0.1)
    seen["outcome"] = await node(made, index, "Requests.LastOutcome").read_value()
    return seen


async def calls(made, index):
    circuit = made.get_node(ua.NodeId(f"{STATION}/circuit.low-zone", index))
    station = made.get_node(ua.NodeId(STATION, index))

    async def call(of, name, *arguments):
        try:
            return await of.call_method(f"{index}:{name}", *arguments)
        except ua.UaStatusCodeError as error:
            return ua.status_codes.get_name_and_doc(error.code)[0]

    seen = {
        "too_long": await call(circuit, "ShiftSupply", 1.0, 100_000.0, "for ever"),
        "shift": await call(circuit, "ShiftSupply", 1.0, 60.0, "cold evening"),
        "mode_from_dispatch": await call(circuit, "SetMode", "stopped", "a test"),
        "no_such_alarm": await call(station, "AcknowledgeAlarm", "no_alarm", "a test"),
    }
    seen["shift_in_force"] = await node(made, index, SHIFT).read_value()
    active = await node(made, index, "Alarms.Active").read_value()
    seen["active"] = active
    if active:
        seen["acknowledge"] = await call(station, "AcknowledgeAlarm", active[0], "seen")
    seen["too_many"] = [await call(station, "StayConnected") for _ in range(8)]
    return seen


async def first():
    seen = {"unencrypted": await unencrypted(), "refused": await refused(), "policies": {}}
    for policy in POLICIES:
        seen["policies"][policy] = await why(visit(await operator(policy)))
    async with await client("visitor", "view-view-view", name="scada") as made:
        index = await made.get_namespace_index(NAMESPACE)
        shift = node(made, index, SHIFT)
        seen["view"] = {
            "reads": (await node(made, index, SUPPLY).read_data_value(False)).StatusCode.name,
            "writes": await write(shift, ua.Variant(-1.0, ua.VariantType.Double)),
            "calls": await why(made.get_node(ua.NodeId(STATION, index)).call_method(f"{index}:StayConnected")),
            "may": sorted(level.name for level in await shift.get_user_access_level()),
        }
    async with await operator() as made:
        index = await made.get_namespace_index(NAMESPACE)
        changes = Changes()
        subscription = await made.create_subscription(250, changes)
        await subscription.subscribe_data_change(node(made, index, SUPPLY))
        kind = made.get_node(ua.NodeId("StationAlarmEventType", index))
        # The library of the server compares no node ids in a where clause: events of other types do not come from there.
        station = made.get_node(ua.NodeId(STATION, index))
        await subscription.subscribe_events(station, kind, where_clause_generation=False)
        seen["browse"] = await browse(made, index)
        seen["writes"] = await writes(made, index)
        print(json.dumps({"subscribed": True}), flush=True)
        seen["alarm_came"] = await until(lambda: changes.events)
        seen["lost"] = await described(node(made, index, SUPPLY))
        seen["calls"] = await calls(made, index)
        await until(lambda: any(event["acknowledged"] for event in changes.events))
        await until(lambda: len(changes.values) >= 2)
        seen["values"] = len(changes.values)
        seen["events"] = changes.events
    print(json.dumps(seen), flush=True)


async def second():
    """The same nodes after a restart, by ids that were written down."""
    made = await operator()
    for _ in range(100):
        if await why(visit(made)) == "Good":
            break
        await asyncio.sleep(0.2)
        made = await operator()
    async with await operator() as made:
        index = await made.get_namespace_index(NAMESPACE)
        print(json.dumps(await described(node(made, index, "circuit.low-zone.valve.position_feedback"))), flush=True)


asyncio.run(first())
sys.stdin.readline()
asyncio.run(second())
