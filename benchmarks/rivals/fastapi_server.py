"""The least that FastAPI and uvicorn can do: JSON in, JSON out, nothing checked, no batches: MODEL PORT."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import uvicorn
from fastapi import FastAPI
from pair_session import open_session

app = FastAPI()
answer = open_session(sys.argv[1])


@app.post("/v2/models/pairedge/infer")  # type: ignore[untyped-decorator] # fastapi is not installed here
async def infer(request: dict[str, Any]) -> dict[str, Any]:
    """Answer in JSON."""
    [images] = request["inputs"]
    leq, digits = answer(np.array(images["data"], np.uint8).reshape(images["shape"]))
    return {
        "model_name": "pairedge",
        "id": request["id"],
        "outputs": [
            {"name": name, "datatype": "FP32", "shape": list(array.shape), "data": array.ravel().tolist()}
            for name, array in (("leq", leq), ("digits", digits))
        ],
    }


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[2]), http="httptools", access_log=False, log_level="warning")
