"""An OPC UA server that the project did not write (asyncua), with the points of a small station.

    asyncua_station.py FOLDER

It keeps its certificate in FOLDER. The first line that it prints says where it listens; then it obeys one JSON object a
line and answers with one line each:

    {"set": {"Tps": 71.5}}                     values, each in the node's own type
    {"status": {"Tps": "BadSensorFailure"}}    a status in the place of a value
    {"get": ["Valve"]}                         what nodes hold
    {"stop": true}  {"start": {...}}           gone, and back on the same port; "shift": true numbers its namespace otherwise
    {"frozen": true}                           accepts no further requests for subscriptions
"""

import asyncio
import json
import logging
import socket
import sys
from pathlib import Path

from asyncua import Server, ua
from asyncua.crypto.cert_gen import setup_self_signed_certificate
from asyncua.crypto.permission_rules import User, UserRole
from cryptography.x509.oid import ExtendedKeyUsageOID

URI = "urn:test:asyncua-station"
NAMESPACE = "http://plc.example/heating"
POLICIES = [
    ua.SecurityPolicyType.NoSecurity,
    ua.SecurityPolicyType.Basic256Sha256_Sign,
    ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt,
    ua.SecurityPolicyType.Aes128Sha256RsaOaep_SignAndEncrypt,
    ua.SecurityPolicyType.Aes256Sha256RsaPss_SignAndEncrypt,
]
# Name, type, first value, writable.
NODES = [
    ("Tps", ua.VariantType.Float, 90.5, False),
    ("Tpr", ua.VariantType.Double, 45.25, False),
    ("Tss", ua.VariantType.Int16, 6150, False),
    ("Tsr", ua.VariantType.UInt32, 42, False),
    ("Psr", ua.VariantType.Float, 2.5, False),
    ("Tout", ua.VariantType.Double, -7.5, False),
    ("Mains", ua.VariantType.Boolean, True, False),
    ("Text", ua.VariantType.String, "sixty", False),
    ("Valve", ua.VariantType.Float, 0.25, True),
    ("Speed", ua.VariantType.Int16, 0, True),
    ("Start", ua.VariantType.Boolean, False, True),
    ("Stubborn", ua.VariantType.Float, 0.5, True),
]
TYPES = {name: kind for name, kind, _, _ in NODES}


class Users:
    """One operator with a password; anybody else may come without a name."""

    def get_user(self, iserver, username=None, password=None, certificate=None):
        if username is None:
            return User(role=UserRole.User)
        if username == "heat" and password == "right":
            return User(role=UserRole.User, name=username)
        return None


class Station:
    def __init__(self, folder):
        self.folder = folder
        self.port = free_port()
        self.server = None
        self.nodes = {}
        self.values = {name: value for name, _, value, _ in NODES}

    async def start(self, shift=False):
        server = Server(user_manager=Users())
        await server.init()
        await server.set_application_uri(URI)
        server.set_endpoint(f"opc.tcp://127.0.0.1:{self.port}/heating/")
        key, certificate = self.folder / "key.pem", self.folder / "certificate.der"
        names = {"commonName": "asyncua station", "organizationName": "test"}
        usage = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
        await setup_self_signed_certificate(key, certificate, URI, socket.gethostname(), usage, names)
        await server.load_certificate(str(certificate))
        await server.load_private_key(str(key))
        server.set_security_policy(POLICIES)
        if shift:
            await server.register_namespace("http://plc.example/loaded-before")
        index = await server.register_namespace(NAMESPACE)
        folder = await server.nodes.objects.add_object(ua.NodeId("Heating", index), f"{index}:Heating")
        for name, kind, _, writable in NODES:
            variant = ua.Variant(self.values[name], kind)
            node = await folder.add_variable(ua.NodeId(f"Heating.{name}", index), f"{index}:{name}", variant)
            if writable:
                await node.set_writable()
            self.nodes[name] = node
        if shift:
            # What the same number means now: another namespace, with other values under the same names.
            decoy = await server.nodes.objects.add_object(ua.NodeId("Decoy", index - 1), f"{index - 1}:Decoy")
            for name, kind, _, _ in NODES:
                wrong = {"sixty": "wrong"}.get(self.values[name], self.values[name])
                value = 1 if kind in (ua.VariantType.Int16, ua.VariantType.UInt32) else wrong
                value = 11.0 if kind in (ua.VariantType.Float, ua.VariantType.Double) else value
                await decoy.add_variable(
                    ua.NodeId(f"Heating.{name}", index - 1), f"{index - 1}:{name}", ua.Variant(value, kind)
                )
        array = ua.Variant([10.0, 20.0, 30.5], ua.VariantType.Double)
        self.nodes["Row"] = await folder.add_variable(ua.NodeId("Heating.Row", index), f"{index}:Row", array)
        await server.start()
        self.server = server

    async def stop(self):
        for name in self.values:
            self.values[name] = await self.nodes[name].read_value()
        # The port first: the library closes its connections, then the port, and waits for ever for one that came between.
        self.server.bserver._server.close()
        await asyncio.sleep(0.05)
        await self.server.stop()
        self.server = None

    async def obey(self, order):
        for name, value in order.get("set", {}).items():
            await self.nodes[name].write_value(ua.DataValue(ua.Variant(value, TYPES[name])))
        for name, status in order.get("status", {}).items():
            code = ua.StatusCode(getattr(ua.StatusCodes, status))
            variant = ua.Variant(self.values[name], TYPES[name])
            await self.nodes[name].write_value(ua.DataValue(variant, code))
        if "stop" in order:
            await self.stop()
        if "start" in order:
            await self.start(**order["start"])
        return {name: await self.nodes[name].read_value() for name in order.get("get", [])}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def main():
    logging.disable(logging.CRITICAL)
    station = Station(Path(sys.argv[1]))
    await station.start()
    print(json.dumps({"port": station.port, "certificate": str(station.folder / "certificate.der")}), flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps(await station.obey(json.loads(line))), flush=True)


asyncio.run(main())
