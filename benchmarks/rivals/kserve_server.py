"""KServe's Python server: python kserve_server.py MODEL PORT."""

from __future__ import annotations

import sys

from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer
from pair_session import open_session


class Pair(Model):  # type: ignore[misc] # kserve is not installed here
    """The pair graph."""

    def __init__(self, path: str) -> None:
        super().__init__("pairedge")
        self.answer = open_session(path)
        self.ready = True

    async def predict(self, payload: InferRequest, headers: object = None) -> InferResponse:  # noqa: ARG002 (KServe passes it)
        """Answer in the encoding of the request."""
        [images] = payload.inputs
        binary = images._raw_data is not None
        outputs = []
        for name, array in zip(("leq", "digits"), self.answer(images.as_numpy()), strict=True):
            output = InferOutput(name, list(array.shape), "FP32")
            output.set_data_from_numpy(array, binary_data=binary)
            outputs.append(output)
        return InferResponse(payload.id, self.name, outputs, use_binary_outputs=binary)


if __name__ == "__main__":
    ModelServer(http_port=int(sys.argv[2]), enable_grpc=False, workers=1).start([Pair(sys.argv[1])])
