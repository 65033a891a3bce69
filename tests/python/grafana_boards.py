"""Whether Grafana would understand the boards that are named: prints what it would drop or change, one line each.

Each board is read into the types that Grafana's own schema gives (grafana-foundation-sdk) and written again. A key that the
schema does not know is gone afterwards, a value of the wrong kind is another or an error.
"""
import json
import sys

from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard


def lost(written, understood, at):
    if isinstance(written, dict) and isinstance(understood, dict):
        for key, value in written.items():
            if key in understood:
                yield from lost(value, understood[key], f"{at}.{key}")
            else:
                yield f"{at}.{key} is not known"
    elif isinstance(written, list) and isinstance(understood, list) and len(written) == len(understood):
        for number, pair in enumerate(zip(written, understood)):
            yield from lost(*pair, f"{at}[{number}]")
    elif written != understood:
        yield f"{at}: {written!r} is understood as {understood!r}"


plugins.register_default_plugins()
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        board = json.load(file)
    again = json.loads(JSONEncoder().encode(dashboard.Dashboard.from_json(board)))
    for line in lost(board, again, path):
        print(line)
