"""A client of the original specification: uses Debian's websockets and depends only on the message types."""

import asyncio
import json
import sys

import websockets


async def watch(address):
    options = {}
    if len(sys.argv) > 2:
        import ssl

        options["ssl"] = ssl.create_default_context(cafile=sys.argv[2])
    async with websockets.connect(address, **options) as socket:
        print("open")
        async for text in socket:
            message = json.loads(text)
            kind = message["type"]
            if kind == "agent_execution_started":
                print("started", message["agent_id"])
            elif kind == "streaming_output" and message["content"]:
                print("output", message["content"])
            elif kind == "artifact_published":
                print("artifact", message["artifact_type"])
    print("closed")


asyncio.run(watch(sys.argv[1]))
