"""The product's pages, and one that says whether its caller is served from the cache.

What is served can be made slow or wrong while the site runs: by the word in the file that FAULT
names.
"""

import os
import time
from pathlib import Path
from typing import Any

from django.urls import include, path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lexiflow.cache import cohorts, rollout
from lexiflow.cache.cohorts import BYPASSED, HIT
from users.scopes import ANY_KEY

SLOW_SECONDS = 0.15


class ServedView(APIView):
    resource = ANY_KEY

    def get(self, request: Request) -> Response:
        is_served = rollout.serves(request.user)
        cohorts.note(HIT if is_served else BYPASSED)
        fault = Path(os.environ["FAULT"]).read_text() if is_served else ""
        if fault == "slow":
            time.sleep(SLOW_SECONDS)
        answer: Any = {"served": is_served}
        return Response(answer, status=500 if fault == "error" else 200)


urlpatterns = [
    path("api/v1/served/", ServedView.as_view()),
    path("", include("lexiflow.urls")),
]
