"""The state of the service and of what it depends on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drydock.api.views.status import status_view
from drydock.model.health import DependencyHealth


def health_view(dependencies: Sequence[DependencyHealth]) -> dict[str, Any]:
    """Its ``code`` is the HTTP status it is sent with."""
    ill = [dependency for dependency in dependencies if not dependency.healthy]
    view = status_view(
        code=503 if ill else 200,
        success=not ill,
        message=f"not well: {', '.join(dependency.name for dependency in ill)}" if ill else "all is well",
        reason="dependency_unavailable" if ill else "",
        messages=[{"message": f"{dependency.name}: {dependency.detail}", "error": True} for dependency in ill],
        error_count=len(ill),
    )
    shown = [
        {"name": each.name, "healthy": each.healthy, "detail": each.detail, "seconds": round(each.seconds, 3)}
        for each in dependencies
    ]
    return {**view, "dependencies": shown}
