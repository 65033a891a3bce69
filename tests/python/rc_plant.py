"""An outside engineer's plant: a few lines of resistances and capacities, coupled to the control by JSON lines.

Arguments: the command that starts the control. Prints one line of JSON with what a week of winter came to.
"""

import json
import math
import subprocess
import sys
from datetime import datetime, timedelta, timezone

AREA = 86_000.0  # m²
LOSS = 1.4 * AREA  # W/K of the buildings
MASS = 300e3 * AREA  # J/K of walls and air together
EMITTER = LOSS * 27 * 1.3 / (62.5 - 18) ** 1.3  # W/K^n, sized for -9 °C at 75/50 °C with 30 % to spare
FLOW = 37.0 * 4182  # W/K of the circulating water
FULL_HEAT = 6.0e6  # W through the open valve
STEP = 10  # s

control = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def exchange(line):
    control.stdin.write(json.dumps(line) + "\n")
    control.stdin.flush()
    return json.loads(control.stdout.readline())


time = datetime(2026, 12, 1, tzinfo=timezone(timedelta(hours=8)))
room, supply, valve, coldest, errors, stuck = 19.0, 40.0, 0.0, 99.0, [], 0
for step in range(7 * 86400 // STEP):
    hour = step * STEP / 3600
    outdoor = -4 + 5 * math.sin(2 * math.pi * (hour - 9) / 24)
    answer = exchange(
        {
            "time": time.isoformat(),
            "points": {
                "outdoor.temperature": round(outdoor, 1),
                "circuit.low-zone.secondary_supply.temperature": round(supply, 1),
                "circuit.low-zone.room.b1-101.temperature": None if step % 50 == 7 else round(room, 1),
                "circuit.low-zone.room.b2-101.temperature": round(room + 0.4, 1),
                "circuit.low-zone.room.b3-101.temperature": round(room - 0.3, 1),
                "circuit.low-zone.room.b4-101.temperature": round(room + 0.1, 1),
            },
        }
    )
    assert answer["time"] == time.isoformat(), answer
    wished = answer["commands"].get("circuit.low-zone.valve.position", 0.0)
    # The duty goes from pump to pump: water moves while either turns.
    turns = max(answer["commands"].get(f"circuit.low-zone.circulation_pump.{pump}.start", 0.0) for pump in (1, 2))
    setpoint = answer["setpoints"]["circuit.low-zone.secondary_supply.temperature"]
    valve += max(-STEP / 120, min(STEP / 120, wished - valve))
    # Emitters at the mean water temperature, two iterations are plenty.
    given = 0.0
    for _ in range(8):
        mean = supply - given / FLOW / 2
        given = EMITTER * max(0.0, mean - room) ** 1.3 if turns else 0.0
    back = supply - given / FLOW
    heat = FULL_HEAT * valve**2 if turns else 0.0
    supply += (back + heat / FLOW - supply) * min(1.0, STEP / 30)
    room += (given + 4 * AREA - LOSS * (room - outdoor)) * STEP / MASS
    if hour > 24:
        errors.append((setpoint - supply) ** 2)
        coldest = min(coldest, room)
    stuck += bool(answer["alarms"])
    time += timedelta(seconds=STEP)
control.stdin.close()
code = control.wait(timeout=20)
print(json.dumps({"exit": code, "coldest": coldest, "room": room, "rmse": (sum(errors) / len(errors)) ** 0.5, "alarmed": stuck}))
