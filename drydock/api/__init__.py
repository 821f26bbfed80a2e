"""The REST API: Falcon over the services of the orchestrator."""
