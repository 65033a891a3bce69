"""pymodbus as its manual shows it, on asyncio; arguments, words and answers as of libmodbus.c beside it."""

import asyncio
import json
import sys
import time

from pymodbus.client import AsyncModbusTcpClient

WORDS = 125


def judge(words, address, unit, tally):
    second = int(time.time())
    for n, word in enumerate(words):
        tally["wrong"] += word >> 8 != (address + n + 37 * unit) & 0xFF
        tally["stale"] += (second - (word & 0xFF)) & 0xFF > 2


async def cycle(client, unit, points, tally):
    for address in range(0, points, WORDS):
        count = min(WORDS, points - address)
        answer = await client.read_holding_registers(address, count=count, device_id=unit)
        if answer.isError():
            tally["failed"] += 1
            continue
        tally["requests"] += 1
        tally["values"] += count
        judge(answer.registers, address, unit, tally)


async def main():
    kind, port, first = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    tally = {"requests": 0, "values": 0, "wrong": 0, "stale": 0, "failed": 0}
    clients = [AsyncModbusTcpClient("127.0.0.1", port=port) for _ in range(1 if kind == "flat" else first)]
    for client in clients:
        await client.connect()
    print("ready", flush=True)
    begun, seconds = time.monotonic(), float(sys.argv[-1])
    if kind == "flat":
        while time.monotonic() - begun < seconds:
            answer = await clients[0].read_holding_registers(0, count=first, device_id=1)
            tally["requests"] += 1
            tally["values"] += len(answer.registers)
            if tally["requests"] % 64 == 0:
                judge(answer.registers, 0, 1, tally)
    else:
        points = int(sys.argv[4])
        for number in range(int(seconds)):
            await asyncio.sleep(max(0.0, begun + number - time.monotonic()))
            await asyncio.gather(*(cycle(client, unit, points, tally) for unit, client in enumerate(clients, 1)))
    await asyncio.sleep(max(0.0, begun + seconds - time.monotonic()))
    tally["seconds"] = time.monotonic() - begun
    print(json.dumps(tally), flush=True)
    sys.stdin.read()


asyncio.run(main())
