"""A Flask application served by waitress, as users have them."""

import os

from flask import Flask, request

app = Flask(__name__)


@app.get("/")
def index() -> str:
    return f"hello from {os.getpid()}"


@app.post("/form")
def form() -> dict[str, object]:
    return {"name": request.form["name"], "user": request.headers.get("X-Narthex-User", "")}


@app.get("/status/<int:code>")
def status(code: int) -> tuple[str, int]:
    return f"this is {code}", code
