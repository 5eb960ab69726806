"""Which media types come in and go out.

There is one renderer almost everywhere, and nearly every caller accepts it in so many words, so
the parsing of Accept is left out for them: 3 % of a list.
"""

from collections.abc import Sequence
from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class ContentNegotiation(DefaultContentNegotiation):
    """REST framework's, with a short way for those who accept anything or JSON."""

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        offered: Sequence[BaseRenderer] = renderers
        if len(offered) == 1 and format_suffix is None:
            accepted = request.META.get("HTTP_ACCEPT", "*/*")
            if accepted in ("*/*", offered[0].media_type):
                return offered[0], str(offered[0].media_type)
        chosen: tuple[BaseRenderer, str] = super().select_renderer(
            request, renderers, format_suffix
        )
        return chosen
