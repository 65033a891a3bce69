"""A station PLC on pymodbus, an implementation that we did not write.

It reads the register tables of the PLC's manual (given as the first argument), fills every register with a value of its
own, and serves them on loopback. On stdout: one line of JSON with the port and the value that each point should have.
Then, for each line on stdin, one line of JSON with what the output registers hold.
"""

import asyncio
import json
import re
import struct
import sys

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext
from pymodbus.server import ModbusTcpServer

CIRCUIT = "low-zone"
SHAPE = {"circulation_pumps": 2, "make_up_pumps": 1, "buildings": [f"b{n}" for n in range(1, 7)]}
# What the unit of the manual is in the unit of the point.
TO_POINT = {"MPa": 1e6, "kPa": 1e3, "m³/h": 1 / 3600, "kW": 1e3, "GJ": 1e9, "kWh": 3.6e6, "h": 3600, "%": 0.01, "Hz": 1 / 50}
# Contacts of a healthy plant that circulates; all others are open.
CLOSED = {"mains.healthy", "selector.remote", "valve.remote", "circulation.flow_switch", "softener.healthy", "remote"}
# Where control needs a plausible plant instead of any number.
PLAUSIBLE = {
    "outdoor.temperature": -5.0,
    "outdoor.temperature_second": -4.7,
    "primary_supply.temperature": 95.0,
    "secondary_supply.temperature": 52.3,
    "secondary_return.temperature": 41.2,
    "secondary_return.pressure": 0.2931,
    "secondary_supply.pressure": 0.4417,
    "secondary.differential_pressure": 148.6,
    "secondary.flow": 131.25,
    "valve.position_feedback": 41.0,
    "tank.level": 1.234,
    "speed_feedback": 43.21,
}


def tables(manual):
    """The rows of each table: heading, then (address text, point, encoding, unit, access)."""
    heading = ""
    for line in manual.splitlines():
        if line.startswith("## "):
            heading = line[3:]
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and re.match(r"\+?\d", cells[0]) and len(cells) == 5 and "`" in cells[1]:
            yield heading, cells[0], cells[1].strip("`"), cells[2], cells[3], cells[4]


def places(heading, rooms):
    """Base address and name prefix of every block that a table stands for, in a station with one circuit."""
    base = 1000
    if heading.startswith("Station"):
        yield 0, ""
    elif heading.startswith("Circuit c"):
        yield base, f"circuit.{CIRCUIT}."
    elif heading.startswith("Pumps"):
        for p in range(SHAPE["circulation_pumps"]):
            yield base + 100 + 20 * p, f"circuit.{CIRCUIT}.circulation_pump.{p + 1}."
        for p in range(SHAPE["make_up_pumps"]):
            yield base + 200 + 20 * p, f"circuit.{CIRCUIT}.make_up_pump.{p + 1}."
    elif heading.startswith("Buildings"):
        for b, name in enumerate(SHAPE["buildings"]):
            yield base + 300 + 20 * b, f"circuit.{CIRCUIT}.building.{name}."
    elif heading.startswith("Rooms"):
        for r, name in enumerate(rooms):
            yield base + 600 + 2 * r, f"circuit.{CIRCUIT}.room.{name}."


def number_for(point, short, kind, index):
    if short in PLAUSIBLE:
        return PLAUSIBLE[short]
    if short == "running":
        return int("circulation_pump.1" in point)
    if kind == "bit":
        return int(short in CLOSED)
    if short.endswith(("fault_code", "open", "start")):
        return 0
    if kind == "f32":
        return 0.5 + index * 0.0125
    if kind == "u32":
        return 10_000 + 137 * index
    return 20.0 + index * 0.1 if kind == "i16" else 10 + index % 80


def encode(kind, scale, number):
    if kind == "f32":
        raw = struct.pack(">f", number)
        return list(struct.unpack(">HH", raw)), struct.unpack(">f", raw)[0]
    raw = round(number / scale) if kind in ("i16", "u16") else int(number)
    if kind == "u32":
        return [raw >> 16, raw & 0xFFFF], raw * scale
    return [raw & 0xFFFF], raw * scale


def fill(manual, rooms):
    words, expected, outputs, index = [0] * 2100, {}, {}, 0
    for heading, address, short, encoding, unit, access in tables(manual):
        for base, prefix in places(heading, rooms):
            index += 1
            point = prefix + short
            at = base + int(re.match(r"\+?(\d+)", address).group(1))
            unit_word = unit.split(",")[0].split(";")[0].split(" ")[0]
            factor = TO_POINT.get(unit_word, 1.0)
            if encoding.startswith("bit"):
                bit = int(encoding.split()[1])
                on = number_for(point, short, "bit", index)
                words[at] |= on << bit
                expected[point] = float(on)
                continue
            kind, _, scale = encoding.partition(" × ")
            scale = float(scale or 1)
            encoded, shown = encode(kind, scale, number_for(point, short, kind, index))
            words[at : at + len(encoded)] = encoded
            if access == "RW":
                outputs[point] = (at, scale * factor)
            else:
                expected[point] = shown * factor
    return words, expected, outputs


async def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        manual = file.read()
    words, expected, outputs = fill(manual, sys.argv[2].split(","))
    # The PLC's own watchdog: 60 s of silence. While it is off, nothing is written to it.
    words[46] = 60
    # Its blocks count from 1.
    block = ModbusSequentialDataBlock(1, words)
    server = ModbusTcpServer(
        ModbusServerContext(devices={1: ModbusDeviceContext(hr=block)}, single=False), address=("127.0.0.1", 0)
    )
    await server.listen()
    port = server.transport.sockets[0].getsockname()[1]
    print(json.dumps({"port": port, "expected": expected}), flush=True)
    loop = asyncio.get_running_loop()
    reader = AsyncModbusTcpClient("127.0.0.1", port=port)
    await reader.connect()
    while await loop.run_in_executor(None, sys.stdin.readline):
        held = {}
        for point, (at, factor) in outputs.items():
            answer = await reader.read_holding_registers(at, count=1, device_id=1)
            held[point] = answer.registers[0] * factor
        print(json.dumps(held), flush=True)
    reader.close()
    await server.shutdown()


asyncio.run(main())
