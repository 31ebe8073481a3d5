"""The endpoints that Label Studio asks, as a FastAPI application behind its guard."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from annotate.serving import guard
from annotate.serving.batching import Batcher, Full, Model
from annotate.serving.predictions import Asked
from annotate.studio.form import form

TASKS = 2_000
"""Tasks in one request."""
NUDGED = "nudged"
log = logging.getLogger("annotate.serving")


class Predict(BaseModel):
    """The body of /predict; what else Label Studio sends is not read."""

    tasks: list[Asked] = Field(max_length=TASKS)


class ProjectOf(BaseModel):
    """The project of a webhook's payload."""

    id: int


class Nudge(BaseModel):
    """The body of /webhook and /train. The latter names the project “number.time”."""

    project: ProjectOf | str | None = None

    @property
    def number(self) -> int | None:
        """The project's number, if it is told."""
        if isinstance(self.project, ProjectOf):
            return self.project.id
        first = (self.project or "").partition(".")[0]
        return int(first) if first.isdecimal() else None


def application(model: Model, password: str, place: Path) -> guard.Guard:
    """The application that serves a model; nudges are written into the folder `place`."""
    batcher = Batcher(model, form())

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        batcher.start()
        yield
        await asyncio.to_thread(batcher.stop)

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)

    @app.exception_handler(RequestValidationError)
    async def malformed(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"][1:])) or "body"
        return JSONResponse({"detail": f"{place}: {first['msg']}"}, 422)

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "UP"}

    @app.get("/")
    async def root() -> dict[str, str]:
        return {"status": "UP", "model_version": model.version}

    @app.post("/setup")
    async def setup() -> dict[str, str]:
        batcher.wake()  # loading takes longer than Label Studio waits here
        return {"model_version": model.version}

    @app.get("/versions")
    async def versions() -> dict[str, list[str]]:
        return {"versions": [model.version]}

    @app.post("/predict")
    async def predict(body: Predict) -> dict[str, Any]:
        if not body.tasks:
            return {"results": []}
        try:
            results = await asyncio.wrap_future(batcher.submit(body.tasks))
        except Full:
            raise HTTPException(503, "Too many sentences wait; ask again.", {"Retry-After": "10"}) from None
        except Exception as error:
            log.warning("a request could not be predicted: %s", type(error).__name__)
            raise HTTPException(422, "These tasks cannot be predicted.") from None
        return {"results": results}

    @app.post("/webhook", status_code=202)
    @app.post("/train", status_code=202)
    async def nudge(body: Nudge) -> dict[str, str]:
        partial = place / f"{NUDGED}.partial"
        try:
            partial.write_text(json.dumps({"project": body.number, "time": time.time()}), encoding="utf-8")
            os.replace(partial, place / NUDGED)
        except OSError as error:
            log.warning("a nudge could not be written (%s)", error.strerror)
        return {"status": "noted"}

    return guard.Guard(app, password)
