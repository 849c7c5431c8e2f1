"""The embedded vault as the programs see it: addresses, an application, its control interface."""

import contextlib
import json
import os
from pathlib import Path

import requests


class Scene:
    """What `cargo xtask hosts --sdk` prepared; see xtask/src/sdk/scene.rs."""

    def __init__(self):
        known = json.loads(Path(os.environ["AKV_SDK_SCENE"]).read_text())
        self.vault = known["vault"]
        self.hsm = known["hsm"]
        self.application = known["application"]
        self.app_service = known["appService"]
        self.arc = known["arc"]
        self.password = known["password"]
        self._certificates = Path(known["certificates"])
        self.control = Control(known["control"])

    def certificate(self, name, form):
        """The path of a certificate with its private key, as `pem` or `pfx`."""
        return self._certificates / f"{name}.{form}"


class Control:
    """Faults and statistics of the embedded vault."""

    def __init__(self, url):
        self._url = url

    def fault(self, **fault):
        """Has the next matching request meet a fault."""
        requests.post(f"{self._url}/faults", json=fault, timeout=10).raise_for_status()

    def clear(self):
        """Takes back the faults that nothing has met."""
        requests.delete(f"{self._url}/faults", timeout=10).raise_for_status()

    def operations(self):
        """How often each operation was asked for."""
        answer = requests.get(f"{self._url}/stats", timeout=10)
        answer.raise_for_status()
        return answer.json()["operations"]

    @contextlib.contextmanager
    def asked(self, *operations):
        """Expects that the service is asked for exactly these, besides reading keys."""
        before = self.operations()
        yield
        after = self.operations()
        done = []
        for name, count in sorted(after.items()):
            if name not in ("getKey", "token"):
                done += [name] * (count - before.get(name, 0))
        assert done == sorted(operations)
