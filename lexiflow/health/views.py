"""`health/`: yes or no for an orchestrator, and nothing more for a stranger."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from lexiflow.db import pool
from lexiflow.health.probes import State, answers, readiness


class HealthSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=[state.value for state in State])


class HealthView(GenericAPIView[Any]):
    """Public, and cheap enough to be so."""

    is_free_of_limits = True
    authentication_classes = ()
    permission_classes = (AllowAny,)
    serializer_class: type[serializers.Serializer[Any]] = HealthSerializer
    queryset = None


@extend_schema(tags=["health"], auth=[])
class LiveView(HealthView):
    """The process answers. Touches nothing else: restarting it would mend nothing else."""

    def get(self, request: Request) -> Response:
        return Response({"status": State.OK.value})


@extend_schema(tags=["health"], auth=[])
class ReadyView(HealthView):
    """Requests can be served: 200, also without Redis (degraded); otherwise 503."""

    def get(self, request: Request) -> Response:
        states = set(readiness().values())
        worst = next(state for state in (State.FAILED, State.DEGRADED, State.OK) if state in states)
        return Response({"status": worst.value}, status=503 if worst is State.FAILED else 200)


@extend_schema(tags=["health"], auth=[])
class CacheView(HealthView):
    """Answers are remembered; `degraded` while they are all computed anew, which is no error."""

    def get(self, request: Request) -> Response:
        return Response({"status": answers().value})


class PoolHealthSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=["healthy", "degraded"])


@extend_schema(tags=["health"], auth=[])
class PoolView(HealthView):
    """Of the process that answers: `healthy` below 90 % of its connections, and while nobody waits
    for one. Needs none itself.
    """

    serializer_class = PoolHealthSerializer

    def get(self, request: Request) -> Response:
        found = pool.figures()
        is_healthy = found is None or found.is_healthy
        return Response({"status": "healthy" if is_healthy else "degraded"})
