"""MLServer's model; `mlserver_server.py` starts the server."""

from __future__ import annotations

from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse
from pair_session import open_session


class Pair(MLModel):  # type: ignore[misc] # mlserver is not installed here
    """The pair graph."""

    async def load(self) -> bool:
        """Open the graph."""
        self.answer = open_session(self.settings.parameters.uri)
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Answer in JSON, the only encoding that MLServer has."""
        leq, digits = self.answer(NumpyCodec.decode_input(payload.inputs[0]))
        return InferenceResponse(
            id=payload.id,
            model_name=self.name,
            outputs=[NumpyCodec.encode_output("leq", leq), NumpyCodec.encode_output("digits", digits)],
        )
