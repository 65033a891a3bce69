"""A meter on pymodbus, an implementation that we did not write, on each kind of line.

    pymodbus_lines.py serial PORT            an RTU slave on a serial port
    pymodbus_lines.py rtu-over-tcp           RTU frames over TCP, on a free port of loopback
    pymodbus_lines.py tls CERT KEY CA        Modbus/TCP Security that asks for a certificate of this authority
    pymodbus_lines.py dials HOST:PORT WORDS  dials in, says WORDS, then answers there in RTU frames; again when cut off

Units 1 and 2 hold, in holding register n, 1000 * unit + n. On stdout: one line of JSON with the port once it serves. It
ends with its stdin.
"""

import asyncio
import json
import ssl
import sys

from pymodbus import FramerType
from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext
from pymodbus.server import ModbusSerialServer, ModbusTcpServer, ModbusTlsServer


def context():
    # Its blocks count from 1.
    device = lambda unit: ModbusDeviceContext(hr=ModbusSequentialDataBlock(1, [1000 * unit + n for n in range(200)]))
    return ModbusServerContext(devices={1: device(1), 2: device(2)}, single=False)


async def relay(source, sink):
    while piece := await source.read(4096):
        sink.write(piece)
        await sink.drain()
    sink.close()


async def dial(host, port, words, server_port):
    """What a 4G modem does: it dials, registers, and passes bytes both ways, for ever."""
    while True:
        try:
            far_in, far_out = await asyncio.open_connection(host, port)
        except OSError:
            await asyncio.sleep(0.1)
            continue
        near_in, near_out = await asyncio.open_connection("127.0.0.1", server_port)
        far_out.write(words.encode())
        await asyncio.wait(
            [asyncio.create_task(relay(far_in, near_out)), asyncio.create_task(relay(near_in, far_out))],
            return_when=asyncio.FIRST_COMPLETED,
        )
        far_out.close()
        near_out.close()
        await asyncio.sleep(0.1)


async def main():
    kind, arguments = sys.argv[1], sys.argv[2:]
    loopback = ("127.0.0.1", 0)
    if kind == "serial":
        server = ModbusSerialServer(context(), framer=FramerType.RTU, port=arguments[0], baudrate=9600, parity="N")
    elif kind == "tls":
        certificate, key, authority = arguments
        secured = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        secured.load_cert_chain(certificate, key)
        secured.load_verify_locations(authority)
        secured.verify_mode = ssl.CERT_REQUIRED
        # Its own framing inside of TLS has no header; the one of the specification is that of Modbus TCP.
        server = ModbusTlsServer(context(), framer=FramerType.SOCKET, address=loopback, sslctx=secured)
    else:
        server = ModbusTcpServer(context(), framer=FramerType.RTU, address=loopback)
    await server.listen()
    port = 0 if kind == "serial" else server.transport.sockets[0].getsockname()[1]
    print(json.dumps({"port": port}), flush=True)
    dialling = None
    if kind == "dials":
        host, _, far = arguments[0].rpartition(":")
        dialling = asyncio.create_task(dial(host, int(far), arguments[1], port))
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    if dialling:
        dialling.cancel()
    await server.shutdown()


asyncio.run(main())
