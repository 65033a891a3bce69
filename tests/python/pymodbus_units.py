"""A gateway with two units on pymodbus, an implementation that we did not write: a cabinet without a manual.

Unit 3 has a meter: a single-precision number, least significant word first, at holding register 10, a counter at 12, and
further words to 49. Unit 9 has words in input registers 100 to 149 only. Nobody else is there. On stdout: one line of JSON
with the port. It ends when stdin does.
"""

import asyncio
import json
import struct
import sys

from pymodbus.datastore import ModbusDeviceContext, ModbusServerContext, ModbusSparseDataBlock
from pymodbus.exceptions import NoSuchIdException
from pymodbus.server import ModbusTcpServer


def block(values):
    # Its blocks count from 1.
    return ModbusSparseDataBlock(values)


async def main():
    high, low = struct.unpack(">HH", struct.pack(">f", float(sys.argv[1])))
    meter = {10: low, 11: high, 12: 1, 13: 0x86A0} | {address: 1000 + address for address in range(14, 50)}
    words = {address: address for address in range(100, 150)}
    nothing = {0: 0}
    meter = ModbusDeviceContext(hr=block(meter), ir=block(nothing), co=block(nothing), di=block(nothing))
    other = ModbusDeviceContext(hr=block({5000: 0}), ir=block(words), co=block(nothing), di=block(nothing))
    context = ModbusServerContext(devices={3: meter, 9: other}, single=False)
    server = ModbusTcpServer(context, address=("127.0.0.1", 0), ignore_missing_devices=True)
    # 3.16 means to raise this by itself, looks for a unit 0 instead, and says "device failure" of its own KeyError.
    read = server.context.async_getValues

    async def read_of_those_there(unit, *rest):
        if unit not in (3, 9):
            raise NoSuchIdException
        return await read(unit, *rest)

    server.context.async_getValues = read_of_those_there
    await server.listen()
    print(json.dumps({"port": server.transport.sockets[0].getsockname()[1]}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.shutdown()


asyncio.run(main())
