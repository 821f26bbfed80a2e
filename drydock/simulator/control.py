"""The control endpoint: shows machines, adds machines, and sets their faults."""

from __future__ import annotations

import falcon

from drydock.simulator.errors import BadRequest
from drydock.simulator.faults import Faults
from drydock.simulator.site import Site


def add_routes(app: falcon.App[falcon.Request, falcon.Response], site: Site) -> None:
    app.add_route("/health", Health(site))
    app.add_route("/machines", Machines(site))
    app.add_route("/machines/{name}", OneMachine(site))
    app.add_route("/machines/{name}/faults", MachineFaults(site))


class Health:
    def __init__(self, site: Site) -> None:
        self._site = site

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = {"status": "ok", "machines": len(self._site.all())}


class Machines:
    def __init__(self, site: Site) -> None:
        self._site = site

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """``?fields=name,state`` leaves the rest out: user data of thousands of machines is large."""
        views = [machine.view() for machine in self._site.all()]
        fields = req.get_param_as_list("fields")
        if fields:
            views = [{name: value for name, value in view.items() if name in fields} for view in views]
        resp.media = views

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        body = req.get_media()
        if not isinstance(body, dict) or "name" not in body:
            raise BadRequest("name: the body must be an object with the name of the machine")
        machine, new = self._site.add(body["name"])
        resp.status = falcon.HTTP_201 if new else falcon.HTTP_200
        resp.location = f"/machines/{machine.name}"
        resp.media = machine.view()


class OneMachine:
    def __init__(self, site: Site) -> None:
        self._site = site

    def on_get(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        resp.media = self._site.known(name).view()


class MachineFaults:
    def __init__(self, site: Site) -> None:
        self._site = site

    def on_put(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Replaces all faults of the machine: ``{"faults": ["bmc_hangs:3"]}``, or none."""
        machine = self._site.known(name)
        body = req.get_media()
        texts = body.get("faults") if isinstance(body, dict) else None
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise BadRequest('faults: a list such as ["never_returns", "bmc_hangs:3"]')
        faults = Faults(texts)
        with machine.lock:
            machine.faults = faults
            machine.note(f"faults: {', '.join(texts) or 'none'}")
        resp.media = machine.view()
