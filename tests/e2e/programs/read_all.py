"""Reads the whole log with the defaults of Debian's websockets, and prints what it has received."""

import asyncio
import json
import sys

import websockets


async def read(address):
    async with websockets.connect(address) as socket:
        events = nodes = edges = 0
        async for text in socket:
            message = json.loads(text)
            if message["type"] == "caught_up":
                print("caught up", message["seq"], events, nodes, edges)
                await socket.send(json.dumps({"id": 1, "type": "graph"}))
            elif message["type"] == "reply":
                print("reply", message["ok"], message.get("error", {}).get("code"))
                return
            elif "timestamp" in message:
                events += 1
                if message["type"] == "graph_updated":
                    if not message.get("part"):
                        nodes = edges = 0
                    nodes += len(message["nodes"])
                    edges += len(message["edges"])


asyncio.run(read(sys.argv[1]))
