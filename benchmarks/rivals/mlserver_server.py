"""MLServer without worker processes, which only cost a graph this small time: MODEL PORT [BATCH]."""

from __future__ import annotations

import asyncio
import sys

from mlserver import MLServer, ModelSettings, Settings
from mlserver.settings import ModelParameters
from mlserver_pair import Pair


async def serve(path: str, port: int, batch: int) -> None:
    """Serve the pair graph; requests are batched where `batch` is more than 1."""
    settings = Settings(
        http_port=port, grpc_port=port + 1, metrics_port=port + 2, parallel_workers=0, debug=False
    )
    server = MLServer(settings)
    batching = {"max_batch_size": batch, "max_batch_time": 0.001} if batch > 1 else {}
    model = ModelSettings(
        name="pairedge", implementation=Pair, parameters=ModelParameters(uri=path), **batching
    )
    await server.start([model])


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), int((sys.argv[3:] or ["1"])[0])))
